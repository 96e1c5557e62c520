// Virtual batch normalization (Salimans et al. 2016, arXiv 1606.03498): statistics of a reference batch that stays the
// same, to which each sample adds its own, so that samples do not depend on their neighbours.
import { ShapeError, UserError, cat, formatShape, type Tensor } from '@athanor/core';
import { Buffer } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { Norm, filled, type NormOptions } from '../framework/norm.ts';
import { normalize, scaleAndShift } from '../framework/normalize.ts';
import { inverseScale, statisticsOf } from '../framework/statistics.ts';

export interface VirtualBatchOptions extends NormOptions {
  /** Samples of the reference batch, which stand first in every training batch. */
  readonly reference: number;
}

const kept = { keepdim: true };

/**
 * With n reference samples of mean M and variance V, a sample of mean m and variance v (over its positions) is normalised
 * by μ = (n M + m)/(n + 1) and σ² = (n V + v)/(n + 1) + n (m − M)²/(n + 1)². The reference is normalised by M and V.
 * In training it goes through the network in front of each batch (`cat([reference, x])`); evaluation, whose weights stand
 * still, remembers the last M and V.
 */
export class VirtualBatchNorm extends Norm {
  readonly reference: number;
  readonly referenceMean: Buffer;
  readonly referenceVar: Buffer;

  constructor(features: number, options: VirtualBatchOptions) {
    const { reference, eps = 1e-5, dtype = 'float32' } = options;
    super(features, { ...options, eps });
    if (!Number.isInteger(reference) || reference < 1) throw new UserError(`VirtualBatchNorm: a reference batch of ${reference} samples`, { remedy: 'give a whole number from 1' });
    this.reference = reference;
    this.referenceMean = new Buffer({ shape: [features], dtype });
    this.referenceVar = new Buffer({ shape: [features], dtype, initial: filled(1, features, dtype) });
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const { reference, referenceMean, referenceVar, eps, features } = this;
    if (!this.training) return this.#mixed(x, perChannel(referenceMean.value, x), perChannel(referenceVar.value, x));
    const [batch = 0] = x.shape;
    if (batch < reference) throw new ShapeError(`VirtualBatchNorm: ${formatShape(x.shape)} has no ${reference} reference samples`, { remedy: 'put the reference batch in front: cat([reference, x])' });
    const first = x.narrow(0, 0, reference);
    const statistics = statisticsOf(first, { axes: spanAxes('batch', layoutOf(x)), eps });
    const { mean = first, variance } = statistics;
    referenceMean.assign(mean.detach().reshape(features));
    referenceVar.assign(variance.detach().reshape(features));
    const fixed = normalize(first, statistics, this.affine(x));
    return batch === reference ? fixed : cat([fixed, this.#mixed(x.narrow(0, reference, batch - reference), mean, variance)]);
  }

  /** Normalises each sample by the reference's statistics with its own added. */
  #mixed(x: Tensor, mean: Tensor, variance: Tensor): Tensor {
    const axes = spanAxes('channel', layoutOf(x));
    const own = axes.length === 0 ? x : x.mean(axes, kept);
    const spread = axes.length === 0 ? x.sub(x) : x.sub(own).square().mean(axes, kept);
    const share = 1 / (this.reference + 1);
    const apart = own.sub(mean).square().mul(share * (1 - share));
    const sigma = inverseScale(variance.lerp(spread, share).add(apart), this.eps);
    return scaleAndShift(x.sub(mean.lerp(own, share)).mul(sigma), this.affine(x));
  }
}
