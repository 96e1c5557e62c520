// Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983, in Sutskever's form).
import { UserError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Optimizer, type OptimizerOptions, type Parameters, type Target } from './optimizer.ts';

export interface SGDOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** b ← μ·b + g, θ ← θ − lr·b; with Nesterov's look ahead θ ← θ − lr·(g + μ·b). Weight decay adds λ·θ to g. */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;

  constructor(parameters: Parameters, options: SGDOptions) {
    const { momentum = 0, nesterov = false } = options;
    super(parameters, options, momentum === 0 ? {} : { momentum: 0 });
    if (!(momentum >= 0)) throw new UserError(`momentum is ${momentum}`, { remedy: 'give a number from 0' });
    if (nesterov && momentum === 0) throw new UserError('Nesterov momentum needs a momentum', { remedy: 'set momentum above 0' });
    this.#momentum = momentum;
    this.#nesterov = nesterov;
  }

  protected override update({ variable, weightDecay, slots }: Target, gradient: Tensor, lr: Tensor): Tensor {
    const θ = variable.value;
    const g = weightDecay === 0 ? gradient : gradient.add(θ.mul(weightDecay));
    const { momentum } = slots;
    if (momentum === undefined) return θ.sub(g.mul(lr));
    const μ = this.#momentum;
    const b = momentum.value.mul(μ).add(g);
    momentum.assign(b, 'SGD.step');
    return θ.sub((this.#nesterov ? g.add(b.mul(μ)) : b).mul(lr));
  }
}
