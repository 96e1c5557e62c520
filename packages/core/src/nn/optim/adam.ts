// Adam (Kingma & Ba 2015) and its relatives with the same moments: AdamW (Loshchilov & Hutter 2019), NAdam (Dozat 2016).
import { Variable } from '../../engine/variable.ts';
import { UserError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { StateDict } from '../state.ts';
import { Optimizer, type OptimizerOptions, type Parameters, type Target } from './optimizer.ts';

export interface AdamOptions extends Omit<OptimizerOptions, 'lr'> {
  /** 0.001 unless given. */
  readonly lr?: number;
  /** Decay rates of the first and the second moment: [0.9, 0.999] unless given. */
  readonly betas?: readonly [number, number];
  /** 1e-8 unless given. */
  readonly eps?: number;
}

/** Optimisers whose update depends on the number of the step, which is part of their state. */
export abstract class CountingOptimizer extends Optimizer {
  readonly #count = new Variable({ name: 'step', shape: [], dtype: 'int32' });
  #t: Tensor | undefined;

  /** The number of the step that is being made, from 1, in the dtype of a parameter. */
  protected t(dtype: Tensor['dtype']): Tensor {
    return (this.#t ?? this.#count.value).to(dtype);
  }

  protected override begin(): void {
    this.#t = this.#count.value.add(1);
    this.#count.assign(this.#t, `${this.constructor.name}.step`);
  }

  protected override globals(): StateDict {
    return { step: this.#count };
  }

  /** 1 − βᵗ, exact for small t too. */
  protected correction(beta: number, like: Tensor): Tensor {
    return this.t(like.dtype).mul(Math.log(beta)).expm1().neg();
  }
}

/** m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², θ ← θ − lr · m̂ / (√v̂ + ε). Weight decay adds λ·θ to g. */
export class Adam extends CountingOptimizer {
  protected readonly betas: readonly [number, number];
  protected readonly eps: number;

  constructor(parameters: Parameters, options: AdamOptions = {}) {
    const { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8 } = options;
    super(parameters, { ...options, lr }, ['m', 'v']);
    for (const beta of betas) if (!(beta >= 0 && beta < 1)) throw new UserError(`betas are [${betas.join(', ')}]`, { remedy: 'give numbers from 0 to below 1' });
    this.betas = betas;
    this.eps = eps;
  }

  protected override update(target: Target, gradient: Tensor, lr: Tensor): Tensor {
    const θ = target.variable.value;
    const g = target.weightDecay === 0 ? gradient : gradient.add(θ.mul(target.weightDecay));
    return θ.sub(this.direction(target, g).mul(lr));
  }

  /** m̂ / (√v̂ + ε), with both moments updated. */
  protected direction({ slots }: Target, g: Tensor): Tensor {
    const { m, v } = this.moments(slots, g);
    const [β1, β2] = this.betas;
    const denominator = v.sqrt().div(this.correction(β2, g).sqrt()).add(this.eps);
    return m.div(this.correction(β1, g)).div(denominator);
  }

  protected moments(slots: Target['slots'], g: Tensor): { m: Tensor; v: Tensor } {
    const [β1, β2] = this.betas;
    const [first, second] = [slots['m'] as Variable, slots['v'] as Variable];
    const m = first.value.mul(β1).add(g.mul(1 - β1));
    const v = second.value.mul(β2).add(g.square().mul(1 - β2));
    first.assign(m, 'Adam.step');
    second.assign(v, 'Adam.step');
    return { m, v };
  }
}

/** Adam whose weight decay (0.01 unless given) shrinks the parameters instead of entering the moments. */
export class AdamW extends Adam {
  constructor(parameters: Parameters, options: AdamOptions = {}) {
    super(parameters, { weightDecay: 0.01, ...options });
  }

  protected override update(target: Target, gradient: Tensor, lr: Tensor): Tensor {
    const θ = target.variable.value;
    const shrunk = target.weightDecay === 0 ? θ : θ.mul(lr.mul(-target.weightDecay).add(1));
    return shrunk.sub(this.direction(target, gradient).mul(lr));
  }
}
