// Statistics: a mean (or none) and an inverse scale, with what the gradient must know about where they came from.
import { where, type Tensor } from '@athanor/core';

/**
 * Where ε stands in the scale. `inside`: √(v + ε), nearly everybody; `outside`: √v + ε, the authors' code of
 * Cross-Iteration BN and Weight Standardization; `clamp`: √max(v, ε), NFNets.
 */
export type EpsilonPlacement = 'inside' | 'outside' | 'clamp';

export interface StatisticsOptions {
  /** Axes that share one statistic. */
  readonly axes: readonly number[];
  readonly eps: number;
  /** Subtract the mean (default). Without it the scale is the root mean square. */
  readonly center?: boolean;
  readonly placement?: EpsilonPlacement;
  /** The variance divides by the number of elements minus this (default 0). */
  readonly correction?: number;
  /**
   * Bool, broadcastable over the tensor: only elements where it holds make the statistics (padding is false). Where none
   * does, mean and variance are 0.
   */
  readonly mask?: Tensor | undefined;
}

export interface Statistics {
  readonly axes: readonly number[];
  /** Size 1 along the axes; undefined for methods that do not centre. */
  readonly mean: Tensor | undefined;
  /** The mean squared distance to the mean (to 0 without centring). */
  readonly variance: Tensor;
  /** 1 / σ. */
  readonly inverse: Tensor;
  /**
   * The part of the statistics that the normalised tensor itself makes up: 1 when they are its own, 1/k in a window of
   * k batches, 0 when they are constants; of each element where some count more than others (a mask).
   */
  readonly share: number | Tensor;
  /** −2 σ³ d(1/σ)/dv · m / (m − correction): how the scale follows the variance. 1 for ε inside the root. */
  readonly response: Tensor | number;
}

/** Number of elements in one statistic. */
export function countOf(x: Tensor, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * (x.shape[axis] ?? 1), 1);
}

/** 1 / σ of a variance, with ε where the method puts it. */
export function inverseScale(variance: Tensor, eps: number, placement: EpsilonPlacement = 'inside'): Tensor {
  switch (placement) {
    case 'inside':
      return variance.add(eps).rsqrt();
    case 'outside':
      return variance.sqrt().add(eps).reciprocal();
    case 'clamp':
      return variance.maximum(eps).rsqrt();
  }
}

/** How the scale follows the variance, beside ε under the root: −2 σ³ d(1/σ)/dv. */
export function responseOf(variance: Tensor, inverse: Tensor, eps: number, placement: EpsilonPlacement): Tensor | number {
  switch (placement) {
    case 'inside':
      return 1;
    case 'outside': {
      const sigma = variance.sqrt();
      return inverse.mul(sigma).reciprocal().where(sigma.gt(0), 0);
    }
    case 'clamp':
      return variance.gt(eps).to(variance.dtype);
  }
}

const kept = { keepdim: true };

/** How many elements of x a mask lets into each statistic, at least 1; size 1 along the axes. */
export function countValid(mask: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  const spread = mask.to(x.dtype).reshape([...new Array<number>(x.ndim - mask.ndim).fill(1), ...mask.shape]);
  const along = axes.filter((axis) => spread.shape[axis] !== x.shape[axis]);
  return spread.sum(axes, kept).mul(countOf(x, along)).maximum(1);
}

/** Statistics of the elements where the mask holds. */
function maskedStatistics(x: Tensor, mask: Tensor, options: StatisticsOptions): Statistics {
  const { axes, eps, center = true, placement = 'inside', correction = 0 } = options;
  const count = countValid(mask, x, axes);
  const divisor = count.sub(correction).maximum(1);
  const mean = center ? where(mask, x, 0).sum(axes, kept).div(count) : undefined;
  const centred = mean === undefined ? x : x.sub(mean);
  const variance = where(mask, centred, 0).square().sum(axes, kept).div(divisor);
  const inverse = inverseScale(variance, eps, placement);
  const share = mask.to(x.dtype).mul(countOf(x, axes)).div(count);
  return { axes, mean, variance, inverse, share, response: count.div(divisor).mul(responseOf(variance, inverse, eps, placement)) };
}

/** The statistics of a tensor's own elements: the mean first, then the squares of what is centred. */
export function statisticsOf(x: Tensor, options: StatisticsOptions): Statistics {
  const { axes, eps, center = true, placement = 'inside', correction = 0, mask } = options;
  if (mask !== undefined) return maskedStatistics(x, mask, options);
  const count = countOf(x, axes);
  const mean = center ? x.mean(axes, kept) : undefined;
  const centred = mean === undefined ? x : x.sub(mean);
  const variance = centred.square().sum(axes, kept).mul(1 / (count - correction));
  const inverse = inverseScale(variance, eps, placement);
  const bent = responseOf(variance, inverse, eps, placement);
  const ratio = count / (count - correction);
  return { axes, mean, variance, inverse, share: 1, response: typeof bent === 'number' ? bent * ratio : bent.mul(ratio) };
}

/** Statistics that do not depend on the tensor: running ones, frozen ones. */
export function constantStatistics(mean: Tensor | undefined, variance: Tensor, options: StatisticsOptions): Statistics {
  const { axes, eps, placement } = options;
  return { axes, mean, variance, inverse: inverseScale(variance, eps, placement), share: 0, response: 1 };
}
