// compile: a function traced once per kind of arguments, then run as one program per call.
import { UserError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import type { Program } from '../kernel/ir.ts';
import { programCost, type CommandCost, type ProgramCost } from '../schedule/cost.ts';
import { schedule } from '../schedule/schedule.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { bindArguments, placeholders, settleWaiting, type Bound } from './arguments.ts';
import { Plan } from './plan.ts';
import { settled } from './queue.ts';
import { assertSameTrace } from './retrace.ts';
import { engine } from './state.ts';
import { OutputSlot, traceGraph, type TracedGraph } from './tracing.ts';

/** Plans that one compiled function keeps; the least recently used one goes first. */
export const plansPerFunction = 64;

export interface CompileOptions {
  /** How errors call the function; its own name unless given. */
  readonly name?: string;
  /** Trace again at every call, not only at the second one: for tests. */
  readonly checkEveryCall?: boolean;
}

/** The result with its slots filled. */
function rebuild(result: unknown, tensors: readonly Tensor[]): unknown {
  if (result instanceof OutputSlot) return tensors[result.position];
  if (Array.isArray(result)) return result.map((part) => rebuild(part, tensors));
  if (typeof result !== 'object' || result === null) return result;
  return Object.fromEntries(Object.entries(result).map(([key, part]) => [key, rebuild(part, tensors)]));
}

class Compiled<A extends readonly unknown[], R> {
  readonly #fn: (...inputs: A) => R;
  readonly #name: string;
  readonly #checkEveryCall: boolean;
  /** Plans by the key of their arguments; several where training flags differ. In order of last use. */
  readonly #plans = new Map<string, Plan[]>();

  constructor(fn: (...inputs: A) => R, { name = fn.name, checkEveryCall = false }: CompileOptions) {
    this.#fn = fn;
    this.#name = `compiled function ${name === '' ? '(without a name)' : name}`;
    this.#checkEveryCall = checkEveryCall;
  }

  call(inputs: A): R {
    if (engine.trace !== undefined) return this.#fn(...inputs);
    settleWaiting();
    const { key, bound } = bindArguments(inputs, this.#name);
    const plan = this.#planFor(key, inputs, bound);
    return rebuild(plan.traced.result, plan.run(bound)) as R;
  }

  cost(inputs: A): ProgramCost {
    settleWaiting();
    const { key, bound } = bindArguments(inputs, this.#name);
    const known = this.#plans.get(key)?.find((plan) => plan.backend === engine.backend && plan.flagsHold());
    const program = known?.program ?? schedule(this.#trace(inputs, bound).traced.graph, engine.backend.limits);
    return programCost(program);
  }

  async profile(inputs: A): Promise<StepProfile> {
    settleWaiting();
    const { backend } = engine;
    const { key, bound } = bindArguments(inputs, this.#name);
    const plan = this.#planFor(key, inputs, bound);
    let milliseconds: readonly number[] = [];
    plan.run(bound, (_, executable, binding) => {
      if (backend.profile === undefined) throw new UserError(`the backend ${backend.name} cannot profile`, { remedy: 'use wasm or native' });
      milliseconds = backend.profile(executable, binding);
    });
    await settled();
    const { program } = plan;
    if (program === undefined) return { commands: [], kernels: 0 };
    return timed(program, milliseconds);
  }

  #planFor(key: string, inputs: A, bound: readonly Bound[]): Plan {
    const known = this.#plans.get(key)?.find((plan) => plan.backend === engine.backend && plan.flagsHold());
    if (known === undefined) return this.#add(key, inputs, bound);
    if (known.calls === 1 || this.#checkEveryCall) {
      const { traced } = this.#trace(inputs, bound);
      const isArgument = (position: number): boolean => 'argument' in (known.variables[position] ?? {});
      assertSameTrace(this.#name, known.traced, traced, isArgument);
    }
    return known;
  }

  #trace(inputs: A, bound: readonly Bound[]): { readonly traced: TracedGraph; readonly nodes: readonly Node[] } {
    const stand = placeholders(inputs, bound, this.#name);
    return { traced: traceGraph(this.#name, () => this.#fn(...(stand.inputs as unknown as A))), nodes: stand.nodes };
  }

  #add(key: string, inputs: A, bound: readonly Bound[]): Plan {
    const { traced, nodes } = this.#trace(inputs, bound);
    const plan = new Plan(this.#name, traced, nodes);
    const others = this.#plans.get(key) ?? [];
    this.#plans.delete(key);
    this.#plans.set(key, [...others, plan]);
    if (this.#plans.size > plansPerFunction) {
      const [oldest] = this.#plans.keys();
      for (const old of this.#plans.get(oldest ?? '') ?? []) old.dispose();
      this.#plans.delete(oldest ?? '');
    }
    return plan;
  }
}

/** Each command of a program with its cost and the time that it took. */
function timed(program: Program, milliseconds: readonly number[]): StepProfile {
  const { commands, kernels } = programCost(program);
  return { commands: commands.map((command, i) => ({ ...command, milliseconds: milliseconds[i] ?? 0 })), kernels };
}

export interface TimedCommand extends CommandCost {
  readonly milliseconds: number;
}

/** One run of a compiled function, command by command. */
export interface StepProfile {
  readonly commands: readonly TimedCommand[];
  /** Distinct kernels. */
  readonly kernels: number;
}

/** A compiled function: called like the plain one. */
export interface CompiledFunction<A extends readonly unknown[], R> {
  (...inputs: A): R;
  /** What a call with such arguments will compute and the memory that it will take. Nothing runs. */
  cost(...inputs: A): ProgramCost;
  /** One call, with all its effects, that times each command. A UserError where the backend cannot. */
  profile(...inputs: A): Promise<StepProfile>;
}

/**
 * A function that is traced at its first call for each kind of arguments, and then runs as one program. Arguments and
 * results are tensors, numbers, booleans and strings in arrays and plain objects. Shapes and dtypes of tensors, booleans
 * and strings, and the training flags that it reads select the program; tensors and numbers are its inputs (inside, a
 * number is a scalar tensor). Variables that it reads and assigns need not be listed. The second call is traced again
 * and must give the same graph.
 */
export function compile<A extends readonly unknown[], R>(fn: (...inputs: A) => R, options: CompileOptions = {}): CompiledFunction<A, R> {
  const compiled = new Compiled(fn, options);
  return Object.assign((...inputs: A) => compiled.call(inputs), {
    cost: (...inputs: A) => compiled.cost(inputs),
    profile: (...inputs: A) => compiled.profile(inputs),
  });
}
