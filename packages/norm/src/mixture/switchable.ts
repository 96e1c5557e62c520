// Switchable normalization (Luo et al. 2018, arXiv 1806.10779): each layer learns how much of instance, layer and batch
// statistics it takes.
import { UserError, type Tensor } from '@athanor/core';
import { Buffer, type Parameter } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { constantParameter, filled, type NormOptions } from '../framework/norm.ts';
import { scaleAndShift } from '../framework/normalize.ts';
import { RunningNorm, type MomentumOption } from '../framework/running.ts';

interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

const kept = { keepdim: true };

/** The moments of a union of equal parts: mean of means, and mean of (variance + mean²) minus the square of that. */
function pooled({ mean, variance }: Moments, axes: readonly number[]): Moments {
  const all = mean.mean(axes, kept);
  return { mean: all, variance: variance.add(mean.sub(all).square()).mean(axes, kept) };
}

/**
 * μ = Σ aₖ μₖ and σ² = Σ cₖ σₖ² with a and c soft maxima of three logits each, in the order instance, layer, batch.
 * [N, C, H, W], [N, T, C]; [N, C], which has no instances, mixes two.
 */
export class SwitchableNorm extends RunningNorm {
  readonly meanLogits: Parameter;
  readonly varianceLogits: Parameter;
  readonly runningMean: Buffer;
  readonly runningVar: Buffer;

  constructor(features: number, options: NormOptions & MomentumOption = {}) {
    const { eps = 1e-5, dtype = 'float32' } = options;
    super(features, { ...options, eps });
    this.meanLogits = constantParameter(1, [3], dtype);
    this.varianceLogits = constantParameter(1, [3], dtype);
    this.runningMean = new Buffer({ shape: [features], dtype });
    this.runningVar = new Buffer({ shape: [features], dtype, initial: filled(1, features, dtype) });
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const sources = this.#sources(x);
    const mix = (logits: Parameter, pick: (source: Moments) => Tensor): Tensor => {
      const weights = logits.value.slice(0, 3 - sources.length).softmax(0);
      const parts = sources.map((source, i) => pick(source).mul(weights.narrow(0, i, 1)));
      return parts.reduce((sum, part) => sum.add(part));
    };
    const mean = mix(this.meanLogits, (source) => source.mean);
    const variance = mix(this.varianceLogits, (source) => source.variance);
    return scaleAndShift(x.sub(mean).mul(variance.add(this.eps).rsqrt()), this.affine(x));
  }

  /** Instance (where there are positions), layer and batch moments; the latter two from the first. */
  #sources(x: Tensor): Moments[] {
    const { sample, channel, positions } = layoutOf(x);
    const instance = this.#instances(x, positions);
    const layer = pooled(instance, [channel]);
    const batch = this.training ? this.#batch(x, instance, sample) : { mean: perChannel(this.runningMean.value, x), variance: perChannel(this.runningVar.value, x) };
    return positions.length === 0 ? [layer, batch] : [instance, layer, batch];
  }

  #instances(x: Tensor, positions: readonly number[]): Moments {
    const axes = spanAxes('channel', layoutOf(x));
    if (positions.length === 0) return { mean: x, variance: x.sub(x) };
    const mean = x.mean(axes, kept);
    return { mean, variance: x.sub(mean).square().mean(axes, kept) };
  }

  #batch(x: Tensor, instance: Moments, sample: number): Moments {
    if ((x.shape[sample] ?? 0) === 1 && x.ndim === 2) throw new UserError('SwitchableNorm: a batch of one [1, C] has no variance', { remedy: 'train with larger batches' });
    const batch = pooled(instance, [sample]);
    this.observe([[this.runningMean, batch.mean], [this.runningVar, batch.variance]]);
    return batch;
  }
}
