// Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983, in Sutskever's form).
import { UserError } from '../../errors.ts';
import type { StateDict } from '../../engine/statedict.ts';
import { Variable } from '../../engine/variable.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Optimizer, type OptimizerOptions, type Parameters, type Target } from './optimizer.ts';

export interface SGDOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** τ: the share of each gradient but the first that does not enter the momentum. */
  readonly dampening?: number;
}

/** b ← μ·b + (1 − τ)·g, θ ← θ − lr·b; with Nesterov's look ahead θ ← θ − lr·(g + μ·b). Weight decay adds λ·θ to g. */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #dampening: number;
  /** 1 until the first step, which is not dampened. */
  readonly #fresh: Variable | undefined;
  #share: Tensor | undefined;

  constructor(parameters: Parameters, options: SGDOptions) {
    const { momentum = 0, nesterov = false, dampening = 0 } = options;
    super(parameters, options, momentum === 0 ? {} : { momentum: 0 });
    if (!(momentum >= 0)) throw new UserError(`momentum is ${momentum}`, { remedy: 'give a number from 0' });
    if (nesterov && momentum === 0) throw new UserError('Nesterov momentum needs a momentum', { remedy: 'set momentum above 0' });
    if (dampening !== 0 && (momentum === 0 || nesterov)) throw new UserError(`a dampening of ${dampening} ${nesterov ? 'with Nesterov momentum' : 'without momentum'}`, { remedy: 'leave it out' });
    this.#momentum = momentum;
    this.#nesterov = nesterov;
    this.#dampening = dampening;
    this.#fresh = dampening === 0 ? undefined : new Variable({ name: 'fresh', shape: [], initial: () => Float32Array.of(1) });
  }

  protected override globals(): StateDict {
    return this.#fresh === undefined ? {} : { fresh: this.#fresh };
  }

  protected override begin(): void {
    this.#share = this.#fresh?.value.mul(this.#dampening).add(1 - this.#dampening);
    this.#fresh?.assign(0, 'SGD.step');
  }

  protected override update({ variable, weightDecay, slots }: Target, gradient: Tensor, lr: Tensor): Tensor {
    const θ = variable.value;
    const g = weightDecay === 0 ? gradient : gradient.add(θ.mul(weightDecay));
    const { momentum } = slots;
    if (momentum === undefined) return θ.sub(g.mul(lr));
    const μ = this.#momentum;
    const b = momentum.value.mul(μ).add(this.#share === undefined ? g : g.mul(this.#share.to(g.dtype)));
    momentum.assign(b, 'SGD.step');
    return θ.sub((this.#nesterov ? g.add(b.mul(μ)) : b).mul(lr));
  }
}
