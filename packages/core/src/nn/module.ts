// Modules: classes whose public fields hold parameters, buffers and other modules, and whose forward computes.
import { trainingChanged, noteFlag } from '../engine/flags.ts';
import type { Variable } from '../engine/variable.ts';
import { runInModule, rootModule } from './calls.ts';
import { Parameter } from './parameter.ts';
import { loadState, type LoadOptions, type Loadable, type StateDict } from '../engine/statedict.ts';
import { walk, type Findings } from './walk.ts';
import { buildContext } from '../graph/create.ts';

/** May replace the inputs of a forward; undefined keeps them. Runs when the graph is built, not when it computes. */
export type ForwardPreHook = (module: Module, inputs: readonly unknown[]) => readonly unknown[] | undefined;

/** May replace the output of a forward; undefined keeps it. Runs when the graph is built, not when it computes. */
export type ForwardHook = (module: Module, inputs: readonly unknown[], output: unknown) => unknown;

/** What layers and models extend: public fields hold the parts, `forward` computes. */
export abstract class Module {
  #training = true;
  #path: { readonly root: object; readonly path: string } | undefined;
  readonly #before = new Set<ForwardPreHook>();
  readonly #after = new Set<ForwardHook>();

  constructor() {
    // An own property in front of the class's method, so that every call knows its module and runs the hooks.
    Object.defineProperty(this, 'forward', {
      configurable: true,
      enumerable: false,
      writable: true,
      value: (...inputs: readonly unknown[]): unknown => this.#call(inputs),
    });
  }

  /** Computes the outputs from the inputs. */
  abstract forward(...inputs: never[]): unknown;

  /** Whether the module behaves as in training (batch statistics, dropout). Compiled functions notice a change. */
  get training(): boolean {
    noteFlag(this, this.#training, () => this.#training);
    return this.#training;
  }

  /** Sets training or evaluation mode here and below. */
  train(mode = true): this {
    for (const module of this.modules()) module.#training = mode;
    trainingChanged();
    return this;
  }

  /** Sets evaluation mode here and below. */
  eval(): this {
    return this.train(false);
  }

  /** Trained Variables by path; a shared one has the first of its paths. */
  namedParameters(): [string, Parameter][] {
    return this.#find().variables.flatMap(({ path, value }) => (value instanceof Parameter ? [[path, value] as [string, Parameter]] : []));
  }

  /** Trained Variables, each once, in the order of the fields that hold them. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, value]) => value);
  }

  /** Kept but not trained Variables by path. */
  namedBuffers(): [string, Variable][] {
    return this.#find().variables.flatMap(({ path, value }) => (value instanceof Parameter ? [] : [[path, value] as [string, Variable]]));
  }

  /** Kept but not trained Variables, each once. */
  buffers(): Variable[] {
    return this.namedBuffers().map(([, value]) => value);
  }

  /** This module (path "") and all below it, by path. */
  namedModules(): [string, Module][] {
    return [['', this], ...this.#find().modules.map(({ path, value }) => [path, value] as [string, Module])];
  }

  /** This module and all below it, each once. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Parameters and buffers by path: the Variables themselves. */
  stateDict(): StateDict {
    return Object.fromEntries(this.#find().variables.map(({ path, value }) => [path, value]));
  }

  /** Sets parameters and buffers to saved values. */
  loadStateDict(state: Readonly<Record<string, Loadable>>, options: LoadOptions = {}): void {
    loadState(this.stateDict(), state, options);
  }

  /** Calls a function before each forward; the function returned removes it. */
  registerForwardPreHook(hook: ForwardPreHook): () => void {
    this.#before.add(hook);
    return () => this.#before.delete(hook);
  }

  /** Calls a function after each forward; the function returned removes it. */
  registerForwardHook(hook: ForwardHook): () => void {
    this.#after.add(hook);
    return () => this.#after.delete(hook);
  }

  /** Frees the device memory of all parameters and buffers. */
  dispose(): void {
    for (const { value } of this.#find().variables) value.dispose();
  }

  /** The fields that hold the module's parts; containers name their elements by position. */
  protected fields(): Record<string, unknown> {
    return this as unknown as Record<string, unknown>;
  }

  /** Everything below, with the places where it stands. Names Variables by their paths. */
  find(): Findings<Module> {
    return this.#find();
  }

  #find(prefix = ''): Findings<Module> {
    const found = walk<Module>(this, (value) => (value instanceof Module ? value.fields() : undefined));
    for (const { path, value } of found.variables) {
      value.name = prefix === '' ? path : `${prefix}.${path}`;
      if (value instanceof Parameter) value.known = true;
    }
    return found;
  }

  /** Names this module and all below it for the calls inside `root`. */
  #nameBelow(root: object, prefix: string): void {
    this.#path = { root, path: prefix };
    for (const { path, value } of this.#find(prefix).modules) {
      value.#path = { root, path: prefix === '' ? path : `${prefix}.${path}` };
    }
  }

  /** The path inside the outermost module that runs; one that its fields do not lead to is named by its class. */
  #pathNow(): string {
    const root = rootModule();
    if (root === undefined) this.#nameBelow(this, '');
    else if (this.#path?.root !== root) {
      const outer = buildContext.module;
      this.#nameBelow(root, outer === '' ? this.constructor.name : `${outer}.${this.constructor.name}`);
    }
    return this.#path?.path ?? '';
  }

  #call(inputs: readonly unknown[]): unknown {
    const method = (Object.getPrototypeOf(this) as Module).forward as (...inputs: readonly unknown[]) => unknown;
    const path = this.#pathNow();
    return runInModule(this, path, inputs, () => {
      let given = inputs;
      for (const hook of this.#before) given = hook(this, given) ?? given;
      let output = Reflect.apply(method, this, given);
      for (const hook of this.#after) output = hook(this, given, output) ?? output;
      return output;
    });
  }
}

/**
 * Puts other modules in the place of those that a predicate picks; what replaces a module is not looked into. Returns
 * the paths replaced. Optimisers made before keep the old parameters: make them afterwards.
 */
export function replace(
  model: Module,
  predicate: (module: Module, path: string) => boolean,
  factory: (module: Module, path: string) => Module,
): string[] {
  const replaced: string[] = [];
  for (const { path, value, holder, key } of model.find().modules) {
    if (replaced.some((outer) => path.startsWith(`${outer}.`)) || !predicate(value, path)) continue;
    const next = factory(value, path);
    if (next === value) continue;
    next.train(value.training);
    holder[key] = next;
    replaced.push(path);
  }
  return replaced;
}
