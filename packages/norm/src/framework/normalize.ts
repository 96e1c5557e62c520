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

/** Sums over the axes along which `shape` (of as many axes) has size 1. */
function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const axes = x.shape.flatMap((size, axis) => (shape[axis] === 1 && size !== 1 ? [axis] : []));
  return axes.length === 0 ? x : x.sum(axes, kept);
}

function withRank(values: Tensor | undefined, rank: number): Tensor | undefined {
  return values === undefined || values.ndim === rank ? values : values.reshape([...new Array<number>(rank - values.ndim).fill(1), ...values.shape]);
}

/**
 * Standardises x with the statistics given, then scales and shifts. The gradient is, with x̂ = (x − μ)/σ, means over
 * the statistics' axes and the statistics' share s:
 *
 *     dx = (w dy − s·mean(w dy) − s·x̂·mean(w dy x̂)) / σ      dw = Σ dy x̂      db = Σ dy
 *
 * (Ioffe & Szegedy 2015; without centring, the first mean is left out). Where the weight is the same within each
 * statistic, all four use the same two sums.
 */
export function normalize(x: Tensor, statistics: Statistics, affine: Affine = {}): Tensor {
  const { mean, inverse, share } = statistics;
  const weight = withRank(affine.weight, x.ndim);
  const bias = withRank(affine.bias, x.ndim);
  const standard = (mean === undefined ? x : x.sub(mean)).mul(inverse);
  const scaled = weight === undefined ? standard : standard.mul(weight);
  const y = bias === undefined ? scaled : scaled.add(bias);
  if (share === 0) return y;
  const inputs = [x, ...(weight === undefined ? [] : [weight]), ...(bias === undefined ? [] : [bias])];
  return withGradient(y, inputs, (dy) => {
    const sums = sharedSums(dy, standard, statistics, weight) ?? separateSums(dy, standard, statistics, weight);
    const dx = inputGradient(dy, standard, sums, statistics, weight);
    return [
      dx,
      ...(weight === undefined ? [] : [sumTo(sums.products ?? dy.mul(standard), weight.shape)]),
      ...(bias === undefined ? [] : [sumTo(sums.plain ?? dy, bias.shape)]),
    ];
  });
}

/** Σ w dy and Σ w dy x̂ over the axes of a statistic, and the same without w where they are at hand. */
interface Sums {
  readonly gradient: Tensor;
  readonly projection: Tensor;
  readonly plain?: Tensor;
  readonly products?: Tensor;
}

/** The sums where the weight is constant within each statistic: those without it serve the parameters too. */
function sharedSums(dy: Tensor, standard: Tensor, { axes }: Statistics, weight: Tensor | undefined): Sums | undefined {
  if (weight !== undefined && axes.some((axis) => weight.shape[axis] !== 1)) return undefined;
  const plain = dy.sum(axes, kept);
  const products = dy.mul(standard).sum(axes, kept);
  if (weight === undefined) return { gradient: plain, projection: products, plain, products };
  return { gradient: plain.mul(weight), projection: products.mul(weight), plain, products };
}

function separateSums(dy: Tensor, standard: Tensor, { axes }: Statistics, weight: Tensor | undefined): Sums {
  const weighted = weight === undefined ? dy : dy.mul(weight);
  return { gradient: weighted.sum(axes, kept), projection: weighted.mul(standard).sum(axes, kept) };
}

function inputGradient(dy: Tensor, standard: Tensor, sums: Sums, statistics: Statistics, weight: Tensor | undefined): Tensor {
  const { axes, mean, inverse, share, response } = statistics;
  const part = share / countOf(dy, axes);
  const weighted = weight === undefined ? dy : dy.mul(weight);
  const centred = mean === undefined ? weighted : weighted.sub(sums.gradient.mul(part));
  const projection = response === undefined ? sums.projection.mul(part) : sums.projection.mul(part).mul(response);
  return centred.sub(standard.mul(projection)).mul(inverse);
}
