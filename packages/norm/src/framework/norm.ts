// What every normalization layer has: a number of channels, ε, and a scale and a shift per channel.
import { ShapeError, UserError, formatShape, type Dtype, type Tensor } from '@athanor/core';
import { Module, Parameter } from '@athanor/core/nn';
import { layoutOf, perChannel } from './layout.ts';
import type { Affine } from './normalize.ts';
import type { EpsilonPlacement } from './statistics.ts';

export interface NormOptions {
  /** Added to the variance. */
  readonly eps?: number;
  /** Learn a scale γ, 1 at the start, and a shift β, 0 at the start. */
  readonly affine?: boolean;
  /** Learn the shift too (default), where `affine` holds. */
  readonly bias?: boolean;
  /** float32 unless given. */
  readonly dtype?: Dtype;
}

/** For the methods whose ε may stand elsewhere. */
export interface PlacementOption {
  /** Where ε stands: under the root (default), beside it, or as the least variance. */
  readonly placement?: EpsilonPlacement;
}

/** An array of one value, for the start of parameters and buffers. */
export function filled(value: number, count: number, dtype: Dtype): () => Float32Array | Float64Array {
  return () => (dtype === 'float64' ? new Float64Array(count).fill(value) : new Float32Array(count).fill(value));
}

/** A parameter that starts with one value everywhere. */
export function constantParameter(value: number, shape: readonly number[], dtype: Dtype): Parameter {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Parameter({ shape, dtype, initial: filled(value, count, dtype) });
}

export function requireFeatures(features: number): void {
  if (Number.isInteger(features) && features > 0) return;
  throw new UserError(`a normalization of ${features} channels`, { remedy: 'give a whole number from 1' });
}

/** What layers that normalise channels share: γ, β, ε and the check of the input. */
export abstract class Norm extends Module {
  readonly features: number;
  readonly eps: number;
  readonly placement: EpsilonPlacement;
  /** γ [C] */
  readonly weight: Parameter | undefined;
  /** β [C] */
  readonly bias: Parameter | undefined;

  /** `scale: false` is for methods that shift only; `gain` is γ at the start. */
  constructor(features: number, options: NormOptions & PlacementOption & { readonly eps: number; readonly scale?: boolean; readonly gain?: number }) {
    super();
    requireFeatures(features);
    const { eps, affine = true, scale = true, bias = true, gain = 1, placement = 'inside', dtype = 'float32' } = options;
    this.features = features;
    this.eps = eps;
    this.placement = placement;
    this.weight = affine && scale ? constantParameter(gain, [features], dtype) : undefined;
    this.bias = affine && bias ? constantParameter(0, [features], dtype) : undefined;
  }

  /** Normalises [N, C], [N, T, C] or [N, C, H, W]. */
  abstract override forward(x: Tensor): Tensor;

  /** γ and β in shapes that broadcast over x. */
  protected affine(x: Tensor): Affine {
    const { weight, bias } = this;
    return { weight: weight && perChannel(weight.value, x), bias: bias && perChannel(bias.value, x) };
  }

  /** Throws a ShapeError if x has another number of channels. */
  protected requireChannels(x: Tensor): void {
    const channels = x.shape[layoutOf(x).channel];
    if (channels === this.features) return;
    throw new ShapeError(`${this.constructor.name} of ${this.features} channels: the input ${formatShape(x.shape)} has ${channels}`, {
      remedy: 'sequences are [N, T, C], images [N, C, H, W]',
    });
  }
}
