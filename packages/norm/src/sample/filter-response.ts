// Filter response normalization with its thresholded linear unit (Singh & Krishnan 2019, arXiv 1911.09737):
// y = max(γ x / √(mean x² + |ε|) + β, τ), the mean over the positions of each channel of each sample.
import type { Tensor } from '@athanor/core';
import type { Parameter } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { Norm, constantParameter, type NormOptions } from '../framework/norm.ts';
import { normalize, scaleAndShift } from '../framework/normalize.ts';
import { statisticsOf } from '../framework/statistics.ts';

export interface FilterResponseOptions extends NormOptions {
  /** Take max(y, τ) with a learned τ per channel, 0 at the start (default): the method's own activation. */
  readonly threshold?: boolean;
  /** Learn what is added to ε, per channel: for maps of one position. */
  readonly learnEps?: boolean;
}

export class FilterResponseNorm extends Norm {
  /** τ [C] */
  readonly threshold: Parameter | undefined;
  /** εₗ [C]: |εₗ| is added to ε. */
  readonly learnedEps: Parameter | undefined;

  constructor(features: number, options: FilterResponseOptions = {}) {
    const { eps = 1e-6, threshold = true, learnEps = false, dtype = 'float32' } = options;
    super(features, { ...options, eps });
    this.threshold = threshold ? constantParameter(0, [features], dtype) : undefined;
    this.learnedEps = learnEps ? constantParameter(1e-4, [features], dtype) : undefined;
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const { eps, threshold, learnedEps } = this;
    const axes = spanAxes('channel', layoutOf(x));
    const y = learnedEps === undefined ? this.#fixed(x, axes, eps) : this.#learned(x, axes, perChannel(learnedEps.value.abs().add(eps), x));
    return threshold === undefined ? y : y.maximum(perChannel(threshold.value, x));
  }

  #fixed(x: Tensor, axes: readonly number[], eps: number): Tensor {
    return normalize(x, statisticsOf(x, { axes, eps, center: false }), this.affine(x));
  }

  /** ε takes part in the gradient: dεₗ = −½ sign(εₗ) Σ r² g x̂, which the plain composition gives. */
  #learned(x: Tensor, axes: readonly number[], eps: Tensor): Tensor {
    const energy = axes.length === 0 ? x.square() : x.square().mean(axes, { keepdim: true });
    const standard = x.mul(energy.add(eps).rsqrt());
    return scaleAndShift(standard, this.affine(x));
  }
}
