// Batch normalization (Ioffe & Szegedy 2015, arXiv 1502.03167): statistics of a channel over the batch in training,
// running ones in evaluation.
import { ShapeError, formatShape, type Tensor } from '@athanor/core';
import { Buffer } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { filled, type NormOptions, type PlacementOption } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { RunningNorm, type MomentumOption } from '../framework/running.ts';
import { constantStatistics, countOf, countValid, statisticsOf, type Statistics } from '../framework/statistics.ts';

export interface RunningOptions extends NormOptions, MomentumOption, PlacementOption {
  /** Keep running statistics (default); without them evaluation uses the batch's own. */
  readonly trackRunningStats?: boolean;
  /**
   * What the running variance averages: PyTorch the unbiased estimate (divided by m − 1; default), Flax, Equinox, Keras
   * and TensorFlow the biased one that training divides by.
   */
  readonly runningVariance?: 'unbiased' | 'biased';
}

/** Batch normalization (Ioffe & Szegedy 2015): statistics of each channel over batch and positions; running ones in evaluation. */
export class BatchNorm extends RunningNorm {
  readonly runningVariance: 'unbiased' | 'biased';
  readonly runningMean: Buffer | undefined;
  readonly runningVar: Buffer | undefined;

  constructor(features: number, options: RunningOptions = {}) {
    const { eps = 1e-5, trackRunningStats = true, runningVariance = 'unbiased', dtype = 'float32' } = options;
    super(features, { ...options, eps });
    this.runningVariance = runningVariance;
    if (!trackRunningStats) return;
    this.runningMean = new Buffer({ shape: [features], dtype });
    this.runningVar = new Buffer({ shape: [features], dtype, initial: filled(1, features, dtype) });
  }

  /** Whether evaluation is γ (x − μ)/σ + β with the running statistics and nothing else, so that it can be folded or frozen. */
  get plainInEvaluation(): boolean {
    return this.runningMean !== undefined && this.placement === 'inside';
  }

  /**
   * [N, C], [N, T, C], [N, C, H, W]. In training the running statistics move towards the batch's. `mask` (bool,
   * broadcastable over x, such as [N, T, 1]) tells what is not padding, which alone makes the statistics.
   */
  override forward(x: Tensor, mask?: Tensor): Tensor {
    this.requireChannels(x);
    return normalize(x, this.statistics(x, mask), this.affine(x));
  }

  /** The batch's statistics in training, the running ones otherwise. */
  protected statistics(x: Tensor, mask?: Tensor): Statistics {
    const { eps, placement, runningMean, runningVar } = this;
    const axes = spanAxes('batch', layoutOf(x));
    if (!this.training && runningMean !== undefined && runningVar !== undefined) {
      return constantStatistics(perChannel(runningMean.value, x), perChannel(runningVar.value, x), { axes, eps, placement });
    }
    const count = countOf(x, axes);
    if (this.training && count < 2) {
      throw new ShapeError(`BatchNorm: ${formatShape(x.shape)} has one value per channel, whose variance is 0`, {
        remedy: 'train with larger batches, or use a normalization that takes its statistics from each sample',
      });
    }
    const statistics = statisticsOf(x, { axes, eps, placement, mask });
    if (this.training) this.track(statistics, mask === undefined ? count : countValid(mask, x, axes));
    return statistics;
  }

  /** Moves the running statistics towards those of a batch of `count` values per channel. */
  protected track({ mean, variance }: Statistics, count: number | Tensor): void {
    const { runningMean, runningVar, runningVariance } = this;
    if (runningMean === undefined || runningVar === undefined || mean === undefined) return;
    const factor = typeof count === 'number' ? count / (count - 1) : count.div(count.sub(1).maximum(1));
    this.observe([[runningMean, mean], [runningVar, runningVariance === 'unbiased' ? variance.mul(factor) : variance]]);
  }
}
