// Smaller relatives: variations of one choice each.
import { type Dtype, type Tensor } from '@athanor/core';
import { Module, type Parameter } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes, splitChannels, splitLayout } from '../framework/layout.ts';
import { Norm, constantParameter, requireFeatures, type NormOptions } from '../framework/norm.ts';
import { normalize, scaleAndShift } from '../framework/normalize.ts';
import { statisticsOf } from '../framework/statistics.ts';

const kept = { keepdim: true };

/** What positional normalization takes out, for the decoder to put back. */
export interface Removed {
  readonly mean: Tensor;
  readonly std: Tensor;
}

/**
 * Positional normalization (Li et al. 2019, arXiv 1907.04312): mean and (unbiased) standard deviation over the channels
 * at each position, returned beside the result.
 */
export function positionalNorm(x: Tensor, options: { readonly eps?: number } = {}): Removed & { readonly y: Tensor } {
  const axes = spanAxes('position', layoutOf(x));
  const statistics = statisticsOf(x, { axes, eps: options.eps ?? 1e-5, correction: 1 });
  return { y: normalize(x, statistics), mean: statistics.mean ?? x, std: statistics.inverse.reciprocal() };
}

/** The moment shortcut: what an encoder's positional normalization removed, given to a decoder. */
export function momentShortcut(y: Tensor, { mean, std }: Removed): Tensor {
  return y.mul(std).add(mean);
}

/** Positional normalization as a layer, without the shortcut. */
export class PositionalNorm extends Module {
  readonly eps: number;

  constructor(options: { readonly eps?: number } = {}) {
    super();
    this.eps = options.eps ?? 1e-5;
  }

  override forward(x: Tensor): Tensor {
    return positionalNorm(x, { eps: this.eps }).y;
  }
}

/**
 * Global response normalization (Woo et al. 2023, arXiv 2301.00808): x + γ x N + β, where N is the energy of a channel
 * over the positions relative to the mean of all channels. γ and β are 0 at the start.
 */
export class GlobalResponseNorm extends Module {
  readonly features: number;
  readonly eps: number;
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(features: number, options: { readonly eps?: number; readonly dtype?: Dtype } = {}) {
    super();
    requireFeatures(features);
    const { eps = 1e-6, dtype = 'float32' } = options;
    this.features = features;
    this.eps = eps;
    this.weight = constantParameter(0, [features], dtype);
    this.bias = constantParameter(0, [features], dtype);
  }

  override forward(x: Tensor): Tensor {
    const { channel, positions } = layoutOf(x);
    const energy = positions.length === 0 ? x.abs() : x.square().sum(positions, kept).sqrt();
    const relative = energy.div(energy.mean(channel, kept).add(this.eps));
    return scaleAndShift(x.mul(relative), { weight: perChannel(this.weight.value, x), bias: perChannel(this.bias.value, x) }).add(x);
  }
}

/** x / √(var x + ε) with the (unbiased) variance over the channels at each position, but without subtracting the mean. */
export class SimpleNorm extends Norm {
  constructor(features: number, options: Omit<NormOptions, 'bias'> = {}) {
    super(features, { ...options, eps: options.eps ?? 1e-6, bias: false });
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const variance = x.var(spanAxes('position', layoutOf(x)), kept);
    return scaleAndShift(x.mul(variance.add(this.eps).rsqrt()), this.affine(x));
  }
}

/** x / max(‖x‖, ε) over the channels at each position. */
export class UnitNorm extends Module {
  readonly eps: number;

  constructor(options: { readonly eps?: number } = {}) {
    super();
    this.eps = options.eps ?? 1e-12;
  }

  override forward(x: Tensor): Tensor {
    return x.div(x.norm(2, spanAxes('position', layoutOf(x)), kept).maximum(this.eps));
  }
}

/**
 * EvoNorm-S0 (Liu et al. 2020, arXiv 2004.02967), normalization and activation in one: γ x sigmoid(v x) / std + β with
 * the standard deviation of groups of channels in each sample. v is learned per channel, 1 at the start.
 */
export class EvoNormS0 extends Norm {
  readonly groups: number;
  readonly gate: Parameter;

  constructor(features: number, options: NormOptions & { readonly groups?: number } = {}) {
    const { eps = 1e-5, groups = 8, dtype = 'float32' } = options;
    super(features, { ...options, eps });
    this.groups = groups;
    this.gate = constantParameter(1, [features], dtype);
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const parts = splitChannels(x, this.groups);
    const variance = parts.var(spanAxes('sample', splitLayout(layoutOf(x))), { ...kept, correction: 0 });
    const inverse = variance.add(this.eps).rsqrt().expandAs(parts).reshape(x.shape);
    return scaleAndShift(x.mul(x.mul(perChannel(this.gate.value, x)).sigmoid()).mul(inverse), this.affine(x));
  }
}
