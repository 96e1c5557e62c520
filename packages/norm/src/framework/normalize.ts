// The forward and backward that all normalizations of activations share: y = w (x − μ)/σ + b, with the gradient in
// closed form, so that backward reads x and dy once and keeps nothing but x, μ and 1/σ.
import { withGradient, type Tensor } from '@athanor/core';
import { countOf, type Statistics } from './statistics.ts';

/** What follows the standardisation; both broadcast over x, and any axes may have size 1. */
export interface Affine {
  readonly weight?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
}

const kept = { keepdim: true };

/** w y + b. */
export function scaleAndShift(y: Tensor, { weight, bias }: Affine): Tensor {
  const scaled = weight === undefined ? y : y.mul(weight);
  return bias === undefined ? scaled : scaled.add(bias);
}

/** Sums over the axes along which `shape` (of as many axes) has size 1. */
function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const axes = x.shape.flatMap((size, axis) => (shape[axis] === 1 && size !== 1 ? [axis] : []));
  return axes.length === 0 ? x : x.sum(axes, kept);
}

function withRank(values: Tensor | undefined, rank: number): Tensor | undefined {
  return values === undefined || values.ndim === rank ? values : values.reshape([...new Array<number>(rank - values.ndim).fill(1), ...values.shape]);
}

function constantAlong(values: Tensor | undefined, axes: readonly number[]): boolean {
  return values === undefined || axes.every((axis) => values.shape[axis] === 1);
}

/**
 * Standardises x with the statistics given, then scales and shifts. The gradient, with x̂ = (x − μ)/σ, means over the
 * statistics' axes and the statistics' share s, is
 *
 *     dx = (w dy − s·mean(w dy) − s·x̂·mean(w dy x̂)) / σ      dw = Σ dy x̂      db = Σ dy
 *
 * (Ioffe & Szegedy 2015; without centring the first mean is left out). Where the weight is the same within each
 * statistic it leaves the means, and the same two sums serve all three.
 */
export function normalize(x: Tensor, statistics: Statistics, affine: Affine = {}): Tensor {
  const { axes, mean, inverse, share, response } = statistics;
  const weight = withRank(affine.weight, x.ndim);
  const bias = withRank(affine.bias, x.ndim);
  const centred = mean === undefined ? x : x.sub(mean);
  const standard = centred.mul(inverse);
  const shared = constantAlong(weight, axes);
  const factor = weight !== undefined && shared ? inverse.mul(weight) : inverse;
  const scaled = weight === undefined || shared ? centred.mul(factor) : standard.mul(weight);
  const y = bias === undefined ? scaled : scaled.add(bias);
  if (share === 0) return y;

  const count = countOf(x, axes);
  const part = typeof share === 'number' ? share / count : share.mul(1 / count);
  const inputs = [x, ...(weight === undefined ? [] : [weight]), ...(bias === undefined ? [] : [bias])];
  return withGradient(y, inputs, (dy) => {
    const weighted = weight === undefined || shared ? dy : dy.mul(weight);
    const sum = weighted.sum(axes, kept);
    const projection = weighted.mul(standard).sum(axes, kept);
    const around = mean === undefined ? weighted : weighted.sub(sum.mul(part));
    const dx = around.sub(standard.mul(projection.mul(part).mul(response))).mul(factor);
    return [
      dx,
      ...(weight === undefined ? [] : [sumTo(shared ? projection : dy.mul(standard), weight.shape)]),
      ...(bias === undefined ? [] : [sumTo(shared && constantAlong(bias, axes) ? sum : dy, bias.shape)]),
    ];
  });
}
