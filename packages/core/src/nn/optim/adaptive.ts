// Step sizes from sums of squared gradients: RMSprop (Tieleman & Hinton 2012), Adagrad (Duchi et al. 2011); and Lion,
// whose steps all have one size (Chen et al. 2023).
import { UserError } from '../../errors.ts';
import type { Variable } from '../../engine/variable.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { CountingOptimizer } from './counting.ts';
import { Optimizer, type OptimizerOptions, type Parameters, type Target } from './optimizer.ts';

function requireRate(value: number, what: string): void {
  if (!(value >= 0 && value < 1)) throw new UserError(`${what} is ${value}`, { remedy: 'give a number from 0 to below 1' });
}

function slot(slots: Target['slots'], name: string): Variable {
  return slots[name] as Variable;
}

/** Gradient with L2 decay. */
function decayed({ variable, weightDecay }: Target, g: Tensor): Tensor {
  return weightDecay === 0 ? g : g.add(variable.value.mul(weightDecay));
}

export interface RMSpropOptions extends Omit<OptimizerOptions, 'lr'> {
  /** 0.01 unless given. */
  readonly lr?: number;
  /** Decay of the mean square: 0.99 unless given. */
  readonly alpha?: number;
  /** 1e-8 unless given. */
  readonly eps?: number;
  readonly momentum?: number;
  /** Divide by the standard deviation instead of the root mean square. */
  readonly centered?: boolean;
}

/** s ← α·s + (1 − α)·g², θ ← θ − lr · g / (√s + ε), the quotient through momentum where there is one. */
export class RMSprop extends Optimizer {
  readonly #α: number;
  readonly #ε: number;
  readonly #μ: number;

  constructor(parameters: Parameters, options: RMSpropOptions = {}) {
    const { lr = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, centered = false } = options;
    super(parameters, { ...options, lr }, { square: 0, ...(centered ? { mean: 0 } : {}), ...(momentum > 0 ? { momentum: 0 } : {}) });
    requireRate(alpha, 'alpha');
    this.#α = alpha;
    this.#ε = eps;
    this.#μ = momentum;
  }

  protected override update(target: Target, gradient: Tensor, lr: Tensor): Tensor {
    const { slots, variable } = target;
    const g = decayed(target, gradient);
    const s = slot(slots, 'square').value.mul(this.#α).add(g.square().mul(1 - this.#α));
    slot(slots, 'square').assign(s, 'RMSprop.step');
    const direction = g.div(this.#spread(slots, g, s).add(this.#ε));
    const { momentum } = slots;
    if (momentum === undefined) return variable.value.sub(direction.mul(lr));
    const b = momentum.value.mul(this.#μ).add(direction);
    momentum.assign(b, 'RMSprop.step');
    return variable.value.sub(b.mul(lr));
  }

  #spread({ mean }: Target['slots'], g: Tensor, s: Tensor): Tensor {
    if (mean === undefined) return s.sqrt();
    const m = mean.value.mul(this.#α).add(g.mul(1 - this.#α));
    mean.assign(m, 'RMSprop.step');
    return s.sub(m.square()).clamp(0).sqrt();
  }
}

export interface AdagradOptions extends Omit<OptimizerOptions, 'lr'> {
  /** 0.01 unless given. */
  readonly lr?: number;
  /** The rate at step t is lr / (1 + (t − 1) · lrDecay). */
  readonly lrDecay?: number;
  readonly initialAccumulatorValue?: number;
  /** 1e-10 unless given. */
  readonly eps?: number;
}

/** s ← s + g², θ ← θ − lr · g / (√s + ε). */
export class Adagrad extends CountingOptimizer {
  readonly #decay: number;
  readonly #ε: number;

  constructor(parameters: Parameters, options: AdagradOptions = {}) {
    const { lr = 0.01, lrDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 } = options;
    super(parameters, { ...options, lr }, { sum: initialAccumulatorValue });
    this.#decay = lrDecay;
    this.#ε = eps;
  }

  protected override update(target: Target, gradient: Tensor, lr: Tensor): Tensor {
    const g = decayed(target, gradient);
    const s = slot(target.slots, 'sum').value.add(g.square());
    slot(target.slots, 'sum').assign(s, 'Adagrad.step');
    const rate = this.#decay === 0 ? lr : lr.div(this.t(lr.dtype).sub(1).mul(this.#decay).add(1));
    return target.variable.value.sub(g.mul(rate).div(s.sqrt().add(this.#ε)));
  }
}

export interface LionOptions extends Omit<OptimizerOptions, 'lr'> {
  /** 1e-4 unless given. */
  readonly lr?: number;
  /** Weights of the momentum in the step and in itself: [0.9, 0.99] unless given. */
  readonly betas?: readonly [number, number];
}

/** θ ← θ − lr · (sign(β₁·m + (1 − β₁)·g) + λ·θ), m ← β₂·m + (1 − β₂)·g. */
export class Lion extends Optimizer {
  readonly #betas: readonly [number, number];

  constructor(parameters: Parameters, options: LionOptions = {}) {
    const { lr = 1e-4, betas = [0.9, 0.99] } = options;
    super(parameters, { ...options, lr }, { m: 0 });
    for (const beta of betas) requireRate(beta, 'a beta');
    this.#betas = betas;
  }

  protected override update({ variable, weightDecay, slots }: Target, g: Tensor, lr: Tensor): Tensor {
    const [β1, β2] = this.#betas;
    const θ = variable.value;
    const m = slot(slots, 'm');
    const sign = m.value.mul(β1).add(g.mul(1 - β1)).sign();
    m.assign(m.value.mul(β2).add(g.mul(1 - β2)), 'Lion.step');
    return θ.sub((weightDecay === 0 ? sign : sign.add(θ.mul(weightDecay))).mul(lr));
  }
}
