// Batch normalization with one choice changed: whose elements share a statistic.
import { UserError, cat, type Tensor } from '@athanor/core';
import { Buffer, type Parameter } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { constantParameter, filled, type NormOptions } from '../framework/norm.ts';
import { normalize, scaleAndShift } from '../framework/normalize.ts';
import { RunningNorm, type MomentumOption } from '../framework/running.ts';
import { countOf, statisticsOf } from '../framework/statistics.ts';
import { BatchNorm, type RunningOptions } from './batch.ts';

const kept = { keepdim: true };

export interface GhostOptions extends RunningOptions {
  /** Samples that share a statistic. */
  readonly samples: number;
}

/**
 * Ghost batch normalization (Hoffer, Hubara & Soudry 2017, arXiv 1705.08741): statistics of parts of the batch, so that
 * their noise does not depend on the batch's size. What is left over forms a smaller part, which the running statistics
 * do not see.
 */
export class GhostBatchNorm extends BatchNorm {
  readonly samples: number;

  constructor(features: number, options: GhostOptions) {
    super(features, options);
    if (!Number.isInteger(options.samples) || options.samples < 1) throw new UserError(`GhostBatchNorm: parts of ${options.samples} samples`, { remedy: 'give a whole number from 1' });
    this.samples = options.samples;
  }

  override forward(x: Tensor): Tensor {
    const [batch = 0] = x.shape;
    const { samples } = this;
    const parts = Math.floor(batch / samples);
    if (!this.training || parts === 0 || batch === samples) return super.forward(x);
    this.requireChannels(x);
    const whole = this.#normalizeParts(x.narrow(0, 0, parts * samples), parts);
    if (parts * samples === batch) return whole;
    const rest = x.narrow(0, parts * samples, batch - parts * samples);
    const axes = spanAxes('batch', layoutOf(rest));
    return cat([whole, normalize(rest, statisticsOf(rest, { axes, eps: this.eps, placement: this.placement }), this.affine(rest))]);
  }

  #normalizeParts(x: Tensor, parts: number): Tensor {
    const split = x.unflatten(0, [parts, this.samples]);
    const axes = spanAxes('batch', layoutOf(x)).map((axis) => axis + 1);
    const statistics = statisticsOf(split, { axes, eps: this.eps, placement: this.placement });
    const average = { ...statistics, mean: statistics.mean?.mean(0), variance: statistics.variance.mean(0) };
    this.track(average, countOf(split, axes));
    return normalize(split, statistics, this.affine(x)).reshape(x.shape);
  }
}

/**
 * Extended batch normalization (Luo et al. 2020, arXiv 2003.05569): means per channel as in batch normalization, but one
 * standard deviation for all channels, which small batches estimate better.
 */
export class ExtendedBatchNorm extends RunningNorm {
  readonly runningMean: Buffer;
  /** One value. */
  readonly runningVar: Buffer;

  constructor(features: number, options: NormOptions & MomentumOption = {}) {
    const { eps = 1e-5, dtype = 'float32' } = options;
    super(features, { ...options, eps });
    this.runningMean = new Buffer({ shape: [features], dtype });
    this.runningVar = new Buffer({ shape: [], dtype, initial: filled(1, 1, dtype) });
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const mean = this.training ? x.mean(spanAxes('batch', layoutOf(x)), kept) : perChannel(this.runningMean.value, x);
    const centred = x.sub(mean);
    const variance = this.training ? centred.square().mean() : this.runningVar.value;
    if (this.training) this.observe([[this.runningMean, mean], [this.runningVar, variance]]);
    return scaleAndShift(centred.mul(variance.add(this.eps).rsqrt()), this.affine(x));
  }
}

/** Only the batch's mean is subtracted (Salimans & Kingma 2016, arXiv 1602.07868): the companion of weight normalization. */
export class MeanOnlyBatchNorm extends RunningNorm {
  readonly runningMean: Buffer;

  constructor(features: number, options: Omit<NormOptions, 'eps' | 'affine'> & MomentumOption = {}) {
    const { dtype = 'float32' } = options;
    super(features, { ...options, eps: 0, scale: false });
    this.runningMean = new Buffer({ shape: [features], dtype });
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const mean = this.training ? x.mean(spanAxes('batch', layoutOf(x)), kept) : perChannel(this.runningMean.value, x);
    if (this.training) this.observe([[this.runningMean, mean]]);
    return scaleAndShift(x.sub(mean), this.affine(x));
  }
}

/**
 * EvoNorm-B0 (Liu et al. 2020, arXiv 2004.02967), normalization and activation in one:
 * γ x / max(√(batch variance + ε), v x + instance std) + β. v is learned per channel, 1 at the start.
 */
export class EvoNormB0 extends BatchNorm {
  readonly gate: Parameter;

  constructor(features: number, options: RunningOptions = {}) {
    super(features, { ...options, eps: options.eps ?? 1e-3 });
    this.gate = constantParameter(1, [features], options.dtype ?? 'float32');
  }

  override get plainInEvaluation(): boolean {
    return false;
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const { inverse } = this.statistics(x);
    const axes = spanAxes('channel', layoutOf(x));
    const spread = axes.length === 0 ? x.sub(x) : x.var(axes, { ...kept, correction: 0 });
    const instance = spread.add(this.eps).sqrt();
    const divisor = inverse.reciprocal().maximum(x.mul(perChannel(this.gate.value, x)).add(instance));
    return scaleAndShift(x.div(divisor), this.affine(x));
  }
}
