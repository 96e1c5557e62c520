// What optimisers share: parameter groups, the learning rate, slots, a step from a loss.
import { gradientsOf } from '../../engine/differentiate.ts';
import { HostVariable } from '../../engine/hostvariable.ts';
import { holdFlushes, noteStep } from '../../engine/state.ts';
import { Variable } from '../../engine/variable.ts';
import { arrayOf } from '../../dtype.ts';
import { ShapeError, UserError, formatShape } from '../../errors.ts';
import { elementCount, sameShape } from '../../shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { loadState, type LoadOptions, type Loadable, type StateDict } from '../../engine/statedict.ts';

/** Parameters with settings of their own. */
export interface ParameterGroup {
  readonly parameters: Iterable<Variable>;
  /** Factor on the learning rate, 1 unless given. */
  readonly lrScale?: number;
  readonly weightDecay?: number;
}

/** What an optimiser trains: Variables, or groups of them with settings of their own. */
export type Parameters = Iterable<Variable> | readonly ParameterGroup[];

export interface OptimizerOptions {
  readonly lr: number;
  readonly weightDecay?: number;
  /** Ascend instead of descend. */
  readonly maximize?: boolean;
}

export interface StepOptions {
  /** Leave parameters alone that the loss does not depend on, instead of an error. */
  readonly allowUnused?: boolean;
}

/** One parameter with what its update needs. */
export interface Target {
  readonly variable: Variable;
  readonly lrScale: number;
  readonly weightDecay: number;
  readonly slots: Readonly<Record<string, Variable>>;
}

function isGroup(item: Variable | ParameterGroup): item is ParameterGroup {
  return !(item instanceof Variable);
}

function requirePositive(value: number, what: string): void {
  if (!(value >= 0 && Number.isFinite(value))) throw new UserError(`${what} is ${value}`, { remedy: 'give a number from 0' });
}

function makeSlot({ name, shape, dtype }: Variable, slot: string, start: number): Variable {
  const initial = start === 0 ? undefined : () => arrayOf(dtype, elementCount(shape)).fill(start);
  return new Variable({ name: `${name}.${slot}`, shape, dtype, initial });
}

/** What optimisers share: the learning rate, parameter groups, slots, and one update a step. */
export abstract class Optimizer {
  /** Parameters in the order given, each with its slots. */
  readonly targets: readonly Target[];
  readonly #lr: HostVariable;
  readonly #maximize: boolean;

  /** `slots` names the state that each parameter needs, with the number that fills it at the start. */
  constructor(parameters: Parameters, options: OptimizerOptions, slots: Readonly<Record<string, number>>) {
    const { lr, weightDecay = 0, maximize = false } = options;
    requirePositive(lr, 'lr');
    this.#lr = new HostVariable({ name: 'lr', shape: [], values: [lr] });
    this.#maximize = maximize;
    const items = [...parameters];
    const groups: ParameterGroup[] = items.every(isGroup) ? items : [{ parameters: items as Variable[] }];
    this.targets = groups.flatMap((group) =>
      [...group.parameters].map((variable) => {
        const decay = group.weightDecay ?? weightDecay;
        requirePositive(decay, 'weightDecay');
        const own = Object.entries(slots).map(([slot, start]) => [slot, makeSlot(variable, slot, start)] as const);
        return { variable, lrScale: group.lrScale ?? 1, weightDecay: decay, slots: Object.fromEntries(own) };
      }),
    );
    if (this.targets.length === 0) throw new UserError('an optimiser without parameters', { remedy: 'pass model.parameters()' });
    const seen = new Set<Variable>();
    for (const { variable } of this.targets) {
      if (seen.has(variable)) throw new UserError(`${variable.name} is given to the optimiser twice`);
      seen.add(variable);
    }
  }

  /** The learning rate. Setting it recompiles nothing. */
  get lr(): number {
    return this.#lr.host[0] ?? 0;
  }

  /** Used from the next step on. */
  set lr(value: number) {
    requirePositive(value, 'lr');
    this.#lr.assign(value, 'setting lr');
  }

  /** Updates all parameters with the gradients of a scalar loss. */
  step(loss: Tensor, options: StepOptions = {}): void {
    const gradients = gradientsOf(loss, this.targets.map(({ variable }) => variable));
    const missing = this.targets.filter((_, i) => gradients[i] === undefined).map(({ variable }) => variable.name);
    if (missing.length > 0 && options.allowUnused !== true) {
      throw new UserError(`${this.constructor.name}: the loss does not depend on ${missing.join(', ')}`, {
        remedy: 'leave unused parameters out, or step with { allowUnused: true }',
      });
    }
    holdFlushes(() => this.#update(gradients));
    noteStep(loss.node);
  }

  /** Updates the parameters with gradients in the order of `targets`; undefined leaves a parameter alone. */
  apply(gradients: readonly (Tensor | undefined)[]): void {
    if (gradients.length !== this.targets.length) {
      throw new UserError(`${this.constructor.name}: ${gradients.length} gradients for ${this.targets.length} parameters`);
    }
    holdFlushes(() => this.#update(gradients));
    noteStep(undefined);
  }

  /** Learning rate, counters and slots by name. */
  stateDict(): StateDict {
    const state: StateDict = { lr: this.#lr, ...this.globals() };
    for (const [i, { variable, slots }] of this.targets.entries()) {
      for (const [slot, value] of Object.entries(slots)) {
        const name = `${slot}.${variable.name}`;
        state[Object.hasOwn(state, name) ? `${name}#${i}` : name] = value;
      }
    }
    return state;
  }

  /** Sets learning rate, counters and slots to saved values. */
  loadStateDict(state: Readonly<Record<string, Loadable>>, options: LoadOptions = {}): void {
    loadState(this.stateDict(), state, options);
  }

  /** State that belongs to no single parameter. */
  protected globals(): StateDict {
    return {};
  }

  /** Counts a step, before the parameters are updated. */
  protected begin(): void {}

  /** The new value of a parameter; assigns its slots. `lr` has the parameter's dtype and group scale. */
  protected abstract update(target: Target, gradient: Tensor, lr: Tensor): Tensor;

  #update(gradients: readonly (Tensor | undefined)[]): void {
    const rate = this.#lr.value;
    this.begin();
    for (const [i, target] of this.targets.entries()) {
      const given = gradients[i];
      if (given === undefined) continue;
      const { variable, lrScale } = target;
      if (!sameShape(given.shape, variable.shape)) {
        throw new ShapeError(`${variable.name} ${formatShape(variable.shape)}: a gradient of shape ${formatShape(given.shape)}`);
      }
      const gradient = (this.#maximize ? given.neg() : given).to(variable.dtype);
      const lr = (lrScale === 1 ? rate : rate.mul(lrScale)).to(variable.dtype);
      variable.assign(this.update(target, gradient, lr), `${this.constructor.name}.step`);
    }
  }
}
