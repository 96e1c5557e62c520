// Weight standardization (Qiao et al. 2019, arXiv 1903.10520) and its scaled form for networks without normalization of
// activations (Brock, De & Smith 2021, arXiv 2101.08692): the weights of each output get mean 0 and variance 1.
import type { Tensor } from '@athanor/core';
import { Parameter } from '@athanor/core/nn';
import { filled } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { statisticsOf, type EpsilonPlacement } from '../framework/statistics.ts';
import { ReparametrizedLayer, fanInAxes, perOutput, type WeightedLayer } from './layer.ts';

export interface WeightStandardizationOptions {
  readonly eps?: number;
  /** `outside` with the unbiased variance is the authors' (default); timm has `inside` with the biased one. */
  readonly placement?: EpsilonPlacement;
  readonly unbiased?: boolean;
}

export class WeightStandardization extends ReparametrizedLayer {
  readonly options: Required<WeightStandardizationOptions>;

  constructor(layer: WeightedLayer, options: WeightStandardizationOptions = {}) {
    super(layer);
    const { eps = 1e-5, placement = 'outside', unbiased = true } = options;
    this.options = { eps, placement, unbiased };
  }

  override weight(): Tensor {
    const { eps, placement, unbiased } = this.options;
    const w = this.layer.weight.value;
    return normalize(w, statisticsOf(w, { axes: fanInAxes(w), eps, placement, correction: unbiased ? 1 : 0 }));
  }
}

/** gain · (w − mean)/√max(fanIn · var, ε), so that each output's weights have the length of its learned gain. */
export class ScaledWeightStandardization extends ReparametrizedLayer {
  readonly eps: number;
  /** [out], 1 at the start. */
  readonly gain: Parameter;

  constructor(layer: WeightedLayer, options: { readonly eps?: number } = {}) {
    super(layer);
    const { dtype, shape } = layer.weight;
    const [outputs = 0] = shape;
    this.eps = options.eps ?? 1e-4;
    this.gain = new Parameter({ shape: [outputs], dtype, initial: filled(1, outputs, dtype) });
  }

  override weight(): Tensor {
    const w = this.layer.weight.value;
    const fanIn = w.size / (w.shape[0] ?? 1);
    const statistics = statisticsOf(w, { axes: fanInAxes(w), eps: this.eps / fanIn, placement: 'clamp' });
    return normalize(w, statistics, { weight: perOutput(this.gain.value, w).mul(1 / Math.sqrt(fanIn)) });
  }
}
