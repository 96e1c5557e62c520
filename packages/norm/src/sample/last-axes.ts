// Layer and RMS normalization over the last axes of anything, as PyTorch has them: γ and β have one value per element of
// those axes. The versions with γ and β per channel stand in sample.ts.
import { ShapeError, formatShape, type Dtype, type Tensor } from '@athanor/core';
import { Module, type Parameter } from '@athanor/core/nn';
import { constantParameter, type NormOptions } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { statisticsOf } from '../framework/statistics.ts';
import { machineEpsilon } from './sample.ts';

abstract class LastAxesNorm extends Module {
  readonly shape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(shape: number | readonly number[], { eps, affine = true, bias = true, dtype = 'float32' }: NormOptions & { readonly eps: number }) {
    super();
    this.shape = typeof shape === 'number' ? [shape] : shape;
    this.eps = eps;
    this.weight = affine ? constantParameter(1, this.shape, dtype) : undefined;
    this.bias = affine && bias ? constantParameter(0, this.shape, dtype) : undefined;
  }

  /** Values that share a statistic. */
  get features(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  protected normalizeLast(x: Tensor, options: { readonly center: boolean }): Tensor {
    const { shape, eps } = this;
    const first = x.ndim - shape.length;
    if (first < 0 || shape.some((size, axis) => x.shape[first + axis] !== size)) {
      throw new ShapeError(`${this.constructor.name} over ${formatShape(shape)}: the input ${formatShape(x.shape)} does not end so`);
    }
    const axes = shape.map((_, axis) => first + axis);
    return normalize(x, statisticsOf(x, { axes, eps, ...options }), { weight: this.weight?.value, bias: this.bias?.value });
  }
}

/** Layer normalization over the last axes (Ba, Kiros & Hinton 2016, arXiv 1607.06450). [..., shape] → the same. */
export class LayerNorm extends LastAxesNorm {
  constructor(shape: number | readonly number[], options: NormOptions = {}) {
    super(shape, { ...options, eps: options.eps ?? 1e-5 });
  }

  override forward(x: Tensor): Tensor {
    return this.normalizeLast(x, { center: true });
  }
}

/** RMS normalization over the last axes (Zhang & Sennrich 2019, arXiv 1910.07467): γ x / √(mean x² + ε). */
export class RMSNorm extends LastAxesNorm {
  constructor(shape: number | readonly number[], options: { readonly eps?: number; readonly affine?: boolean; readonly dtype?: Dtype } = {}) {
    super(shape, { ...options, eps: options.eps ?? machineEpsilon(options.dtype), bias: false });
  }

  override forward(x: Tensor): Tensor {
    return this.normalizeLast(x, { center: false });
  }
}

export interface QueryKeyOptions {
  /** rms unless given. */
  readonly kind?: 'rms' | 'layer';
  readonly eps?: number;
}

/**
 * Normalised queries and keys (Henry et al. 2020, arXiv 2010.04245; with a learned scale: Dehghani et al. 2023, arXiv
 * 2302.05442): each head's vector [..., width] gets root mean square (or variance) 1, so that attention's logits stay
 * bounded.
 */
export class QueryKeyNorm extends Module {
  readonly query: LayerNorm | RMSNorm;
  readonly key: LayerNorm | RMSNorm;

  constructor(width: number, { kind = 'rms', eps = 1e-6 }: QueryKeyOptions = {}) {
    super();
    const make = (): LayerNorm | RMSNorm => (kind === 'rms' ? new RMSNorm(width, { eps }) : new LayerNorm(width, { eps, bias: false }));
    this.query = make();
    this.key = make();
  }

  override forward(query: Tensor, key: Tensor): { query: Tensor; key: Tensor } {
    return { query: this.query.forward(query), key: this.key.forward(key) };
  }
}
