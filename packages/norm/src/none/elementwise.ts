// Stand-ins for normalization that take no statistics: a squashing function bounds each value by itself.
import type { Dtype, Tensor } from '@athanor/core';
import { Module, type Parameter } from '@athanor/core/nn';
import { perChannel } from '../framework/layout.ts';
import { Norm, constantParameter, requireFeatures, type NormOptions } from '../framework/norm.ts';
import { scaleAndShift } from '../framework/normalize.ts';

export interface SquashOptions extends Omit<NormOptions, 'eps'> {
  /** α at the start; 0.5 unless given. */
  readonly alpha?: number;
}

/** Dynamic tanh (Zhu et al. 2025, arXiv 2503.10622): γ tanh(α x) + β with one learned α. */
export class DynamicTanh extends Norm {
  readonly alpha: Parameter;

  constructor(features: number, options: SquashOptions = {}) {
    super(features, { ...options, eps: 0 });
    this.alpha = constantParameter(options.alpha ?? 0.5, [], options.dtype ?? 'float32');
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    return scaleAndShift(x.mul(this.alpha.value).tanh(), this.affine(x));
  }
}

/** Derf (Chen et al. 2025, arXiv 2512.10938): γ erf(α x + s) + β with learned α and s. */
export class DynamicErf extends Norm {
  readonly alpha: Parameter;
  readonly offset: Parameter;

  constructor(features: number, options: SquashOptions = {}) {
    super(features, { ...options, eps: 0 });
    const { alpha = 0.5, dtype = 'float32' } = options;
    this.alpha = constantParameter(alpha, [], dtype);
    this.offset = constantParameter(0, [], dtype);
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    return scaleAndShift(x.mul(this.alpha.value).add(this.offset.value).erf(), this.affine(x));
  }
}

/** γ x with a small γ per channel at the start (Touvron et al. 2021, arXiv 2103.17239). */
export class LayerScale extends Module {
  readonly weight: Parameter;

  constructor(features: number, options: { readonly initial?: number; readonly dtype?: Dtype } = {}) {
    super();
    requireFeatures(features);
    this.weight = constantParameter(options.initial ?? 1e-5, [features], options.dtype ?? 'float32');
  }

  override forward(x: Tensor): Tensor {
    return x.mul(perChannel(this.weight.value, x));
  }
}
