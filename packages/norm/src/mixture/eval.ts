// EvalNorm (Singh & Shrivastava 2019, arXiv 1904.06031): batch normalization whose evaluation expects the statistics that
// training with small batches had: each sample's own, mixed with the running ones.
import type { Tensor } from '@athanor/core';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { constantStatistics, countOf, type Statistics } from '../framework/statistics.ts';
import { BatchNorm, type RunningOptions } from '../batch/batch.ts';

export interface EvalNormOptions extends RunningOptions {
  /** Samples that shared a statistic in training. */
  readonly samples: number;
}

/**
 * With a = 1 / samples, the sample's mean m and variance v over its positions, running M and V (of biased variances):
 *
 *     μ = a m + (1 − a) M      σ² = a v + (1 − a) V + a (1 − a) (m − M)²
 *
 * which is the expectation of a training batch's statistics, given that the sample is in it. Training is that of
 * BatchNorm; `samples` = 1 is instance normalization, ∞ is BatchNorm.
 */
export class EvalNorm extends BatchNorm {
  readonly samples: number;

  constructor(features: number, options: EvalNormOptions) {
    super(features, options);
    this.samples = options.samples;
  }

  protected override statistics(x: Tensor): Statistics {
    const { runningMean, runningVar, samples, eps } = this;
    if (this.training || runningMean === undefined || runningVar === undefined) return super.statistics(x);
    const { channel, ...layout } = layoutOf(x);
    const axes = spanAxes('channel', { channel, ...layout });
    const own = axes.length === 0 ? x : x.mean(axes, { keepdim: true });
    const spread = axes.length === 0 ? x.sub(x) : x.var(axes, { keepdim: true, correction: 0 });
    const count = samples * countOf(x, axes);
    const bias = this.runningVariance === 'unbiased' && count > 1 ? (count - 1) / count : 1;
    const [mean, variance] = [perChannel(runningMean.value, x), perChannel(runningVar.value, x).mul(bias)];
    const a = 1 / samples;
    const mixed = spread.mul(a).add(variance.mul(1 - a)).add(own.sub(mean).square().mul(a * (1 - a)));
    return constantStatistics(mean.lerp(own, a), mixed, { axes, eps });
  }
}

/** An EvalNorm with the parameters and statistics of a batch normalization that was trained with so many samples. */
export function evalNorm(trained: BatchNorm, samples: number): EvalNorm {
  const { features, eps, momentum, runningVariance, weight, bias } = trained;
  const dtype = weight?.dtype ?? trained.runningMean?.dtype ?? 'float32';
  const module = new EvalNorm(features, { samples, eps, momentum, runningVariance, affine: weight !== undefined, bias: bias !== undefined, dtype });
  module.loadStateDict(trained.stateDict());
  return module.train(trained.training);
}
