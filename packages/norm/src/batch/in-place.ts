// In-place activated batch normalization (Rota Bulò, Porzi & Kontschieder 2018, arXiv 1712.02616): normalization and
// activation in one, whose backward computes everything from the output, which the next layer keeps anyway.
import { UserError, where, withGradient, type Tensor } from '@athanor/core';
import { functional } from '@athanor/core/nn';
import { perChannel } from '../framework/layout.ts';
import { countOf, type Statistics } from '../framework/statistics.ts';
import { BatchNorm, type RunningOptions } from './batch.ts';

/** Activations that can be undone. */
export type InvertibleActivation = 'leaky' | 'elu' | 'none';

export interface InPlaceOptions extends RunningOptions {
  /** leaky unless given. */
  readonly activation?: InvertibleActivation;
  /** Slope of the leaky activation below 0; 0.01 unless given. */
  readonly slope?: number;
}

const kept = { keepdim: true };

/** What backward needs of the parameters; scale and shift broadcast over x. */
interface Given {
  readonly weight: Tensor | undefined;
  /** |γ| + ε */
  readonly scale: Tensor | undefined;
  readonly shift: Tensor | undefined;
  /** Elements of one statistic. */
  readonly count: number;
}

/**
 * z = f((|γ| + ε) x̂ + β). Backward needs z, 1/σ and the parameters, but not x: y = f⁻¹(z), x̂ = (y − β)/(|γ| + ε), then
 * as in batch normalization. The scale is |γ| + ε instead of γ, so that it can be undone: weights of ordinary batch
 * normalizations fit only where γ is positive.
 */
export class InPlaceBatchNorm extends BatchNorm {
  readonly activation: InvertibleActivation;
  readonly slope: number;

  constructor(features: number, options: InPlaceOptions = {}) {
    const { activation = 'leaky', slope = 0.01 } = options;
    super(features, options);
    if (!(slope > 0)) throw new UserError(`InPlaceBatchNorm: a slope of ${slope}`, { remedy: 'give a positive number, or the activation cannot be undone' });
    this.activation = activation;
    this.slope = slope;
  }

  override get plainInEvaluation(): boolean {
    return false;
  }

  override forward(x: Tensor, mask?: Tensor): Tensor {
    this.requireChannels(x);
    const [weight, bias] = [this.weight?.value, this.bias?.value];
    const statistics = this.statistics(x, mask);
    const scale = weight === undefined ? undefined : perChannel(weight.abs().add(this.eps), x);
    const shift = bias === undefined ? undefined : perChannel(bias, x);
    const factor = scale === undefined ? statistics.inverse : statistics.inverse.mul(scale);
    const scaled = (statistics.mean === undefined ? x : x.sub(statistics.mean)).mul(factor);
    const z = this.#activate(shift === undefined ? scaled : scaled.add(shift));
    if (statistics.share === 0) return z;
    return withGradient(z, [x, ...(weight === undefined ? [] : [weight]), ...(bias === undefined ? [] : [bias])], (dz) =>
      this.#backward(z, dz, statistics, { weight, scale, shift, count: countOf(x, statistics.axes) }),
    );
  }

  #activate(y: Tensor): Tensor {
    switch (this.activation) {
      case 'leaky':
        return functional.leakyRelu(y, this.slope);
      case 'elu':
        return functional.elu(y);
      case 'none':
        return y;
    }
  }

  /** The activation's input and derivative, from its output. */
  #undo(z: Tensor): { y: Tensor; slope: Tensor | number } {
    switch (this.activation) {
      case 'leaky':
        return { y: where(z.gt(0), z, z.mul(1 / this.slope)), slope: z.gt(0).to(z.dtype).mul(1 - this.slope).add(this.slope) };
      case 'elu':
        return { y: where(z.gt(0), z, z.minimum(0).log1p()), slope: z.minimum(0).add(1) };
      case 'none':
        return { y: z, slope: 1 };
    }
  }

  #backward(z: Tensor, dz: Tensor, { axes, inverse, share, response }: Statistics, given: Given): Tensor[] {
    const { weight, scale, shift, count } = given;
    const { y, slope } = this.#undo(z);
    const shifted = shift === undefined ? y : y.sub(shift);
    const standard = scale === undefined ? shifted : shifted.div(scale);
    const dy = dz.mul(slope);
    const sum = dy.sum(axes, kept);
    const projection = dy.mul(standard).sum(axes, kept);
    const part = typeof share === 'number' ? share / count : share.mul(1 / count);
    const dx = dy.sub(sum.mul(part)).sub(standard.mul(projection.mul(part).mul(response))).mul(scale === undefined ? inverse : inverse.mul(scale));
    const { features } = this;
    return [
      dx,
      ...(weight === undefined ? [] : [where(weight.lt(0), projection.neg().reshape(features), projection.reshape(features))]),
      ...(shift === undefined ? [] : [sum.reshape(features)]),
    ];
  }
}
