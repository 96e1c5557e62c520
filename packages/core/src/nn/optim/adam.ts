// Adam (Kingma & Ba 2015) and its relatives with the same moments: AdamW (Loshchilov & Hutter 2019), NAdam (Dozat 2016).
import { Variable } from '../../engine/variable.ts';
import { UserError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { StateDict } from '../../engine/statedict.ts';
import { CountingOptimizer } from './counting.ts';
import type { OptimizerOptions, Parameters, Target } from './optimizer.ts';

export interface AdamOptions extends Omit<OptimizerOptions, 'lr'> {
  /** 0.001 unless given. */
  readonly lr?: number;
  /** Decay rates of the first and the second moment: [0.9, 0.999] unless given. */
  readonly betas?: readonly [number, number];
  /** 1e-8 unless given. */
  readonly eps?: number;
}

/** m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², θ ← θ − lr · m̂ / (√v̂ + ε). Weight decay adds λ·θ to g. */
export class Adam extends CountingOptimizer {
  protected readonly betas: readonly [number, number];
  protected readonly eps: number;

  constructor(parameters: Parameters, options: AdamOptions = {}) {
    const { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8 } = options;
    super(parameters, { ...options, lr }, { m: 0, v: 0 });
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
    first.assign(m, `${this.constructor.name}.step`);
    second.assign(v, `${this.constructor.name}.step`);
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

export interface NAdamOptions extends AdamOptions {
  /** How fast the momentum rises to β₁: 0.004 unless given. */
  readonly momentumDecay?: number;
}

/**
 * Adam with Nesterov's momentum: μₜ = β₁ (1 − ½ · 0.96^(tψ)), and the direction is
 * ((1 − μₜ) / (1 − Πμ) · g + μₜ₊₁ / (1 − Πμ · μₜ₊₁) · m) / (√v̂ + ε). lr is 0.002 unless given.
 */
export class NAdam extends Adam {
  readonly #ψ: number;
  readonly #product = new Variable({ name: 'momentumProduct', shape: [], initial: () => Float32Array.of(1) });
  #momenta: { readonly now: Tensor; readonly next: Tensor; readonly product: Tensor } | undefined;

  constructor(parameters: Parameters, options: NAdamOptions = {}) {
    super(parameters, { lr: 0.002, ...options });
    this.#ψ = options.momentumDecay ?? 0.004;
  }

  protected override begin(): void {
    super.begin();
    const t = this.t('float32');
    const momentum = (step: Tensor): Tensor => step.mul(this.#ψ * Math.log(0.96)).exp().mul(-0.5).add(1).mul(this.betas[0]);
    const now = momentum(t);
    const product = this.#product.value.mul(now);
    this.#product.assign(product, 'NAdam.step');
    this.#momenta = { now, next: momentum(t.add(1)), product };
  }

  protected override globals(): StateDict {
    return { ...super.globals(), momentumProduct: this.#product };
  }

  protected override direction({ slots }: Target, g: Tensor): Tensor {
    const { m, v } = this.moments(slots, g);
    if (this.#momenta === undefined) return m;
    const { now, next, product } = this.#momenta;
    const [own, ahead] = [now.rsub(1).div(product.rsub(1)), next.div(product.mul(next).rsub(1))];
    const direction = g.mul(own.to(g.dtype)).add(m.mul(ahead.to(g.dtype)));
    return direction.div(v.sqrt().div(this.correction(this.betas[1], g).sqrt()).add(this.eps));
  }
}
