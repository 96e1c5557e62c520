// Statistics: a mean (or none) and an inverse scale, with what the gradient must know about where they came from.
import type { Tensor } from '@athanor/core';

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
   * k batches, 0 when they are constants.
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

function responseOf(variance: Tensor, inverse: Tensor, placement: EpsilonPlacement, eps: number): Tensor | number {
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

/** The statistics of a tensor's own elements: the mean first, then the squares of what is centred. */
export function statisticsOf(x: Tensor, options: StatisticsOptions): Statistics {
  const { axes, eps, center = true, placement = 'inside', correction = 0 } = options;
  const kept = { keepdim: true };
  const count = countOf(x, axes);
  const mean = center ? x.mean(axes, kept) : undefined;
  const centred = mean === undefined ? x : x.sub(mean);
  const variance = centred.square().sum(axes, kept).mul(1 / (count - correction));
  const inverse = inverseScale(variance, eps, placement);
  const bent = responseOf(variance, inverse, placement, eps);
  const ratio = count / (count - correction);
  return { axes, mean, variance, inverse, share: 1, response: typeof bent === 'number' ? bent * ratio : bent.mul(ratio) };
}

/** Statistics that do not depend on the tensor: running ones, frozen ones. */
export function constantStatistics(mean: Tensor | undefined, variance: Tensor, options: StatisticsOptions): Statistics {
  const { axes, eps, placement } = options;
  return { axes, mean, variance, inverse: inverseScale(variance, eps, placement), share: 0, response: 1 };
}
