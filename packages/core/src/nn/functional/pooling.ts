// Pooling over windows in any number of spatial dimensions: compositions of `window` and reductions.
import { arrayOf } from '../../dtype.ts';
import { UserError } from '../../errors.ts';
import { reduce } from '../../graph/build.ts';
import { describe } from '../../graph/create.ts';
import { reshape } from '../../graph/move.ts';
import type { Node } from '../../graph/node.ts';
import { concatenate } from '../../tensor/concatenate.ts';
import { fromBuffer } from '../../tensor/create.ts';
import type { ReduceOptions } from '../../tensor/reduction.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { perAxis, spatialRank, type PerAxis } from './spatial.ts';
import { offsetAxes, poolingLayout, windows, type WindowLayout, type WindowOptions } from './windows.ts';

/** The stride is the kernel's size unless given. */
export type PoolingOptions = WindowOptions;

/** Reduces the window axes and drops them. */
function overWindows(op: 'sum' | 'maxReduce', x: Node, rank: number): Node {
  return reshape(reduce(op, x, offsetAxes(rank)), x.shape.slice(0, rank + 2));
}

/** The largest element of each window; the first of equal ones gets the gradient. [N, C, …S] → [N, C, …S′]. */
export function maxPool(x: Tensor, options: PoolingOptions): Tensor {
  const places = poolingLayout(x, options, 'maxPool');
  return x.wrap(overWindows('maxReduce', windows(x.node, places, -Infinity), places.kernel.length));
}

export interface AveragePoolingOptions extends Omit<PoolingOptions, 'dilation'> {
  /** Count padding cells in the divisor: true (default) as in PyTorch. */
  readonly countIncludePad?: boolean;
}

/** How many cells each window along one axis counts. */
function windowCounts(size: number, axis: number, places: WindowLayout, includePad: boolean): number[] {
  const [kernel, stride, padding] = [places.kernel[axis] ?? 1, places.stride[axis] ?? 1, places.padding[axis] ?? 0];
  return Array.from({ length: places.sizes[axis] ?? 0 }, (_, i) => {
    const start = i * stride - padding;
    const end = Math.min(start + kernel, size + padding);
    return includePad ? end - start : Math.min(end, size) - Math.max(start, 0);
  });
}

/** The mean of each window. [N, C, …S] → [N, C, …S′]. */
export function avgPool(x: Tensor, options: AveragePoolingOptions): Tensor {
  const places = poolingLayout(x, options, 'avgPool');
  const rank = places.kernel.length;
  const sums = x.wrap(overWindows('sum', windows(x.node, places, 0), rank));
  const counts = places.sizes.map((_, axis) => windowCounts(x.shape[axis + 2] ?? 0, axis, places, options.countIncludePad ?? true));
  if (counts.every((along) => along.every((count) => count === along[0]))) {
    return sums.mul(1 / counts.reduce((product, along) => product * (along[0] ?? 1), 1));
  }
  return counts.reduce((scaled, along, axis) => {
    const inverse = arrayOf(x.dtype, along.length);
    along.forEach((count, i) => (inverse[i] = 1 / count));
    return scaled.mul(fromBuffer(inverse, [along.length]).reshape(-1, ...new Array<number>(rank - 1 - axis).fill(1)));
  }, sums);
}

/** Windows of adaptive pooling along one axis: cell i covers ⌊i n / o⌋ … ⌈(i + 1) n / o⌉. */
function adaptiveAxis(op: 'sum' | 'maxReduce', x: Tensor, axis: number, count: number): Tensor {
  const length = x.shape[axis] ?? 0;
  const parts = Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * length) / count);
    const part = x.narrow(axis, start, Math.ceil(((i + 1) * length) / count) - start);
    return op === 'sum' ? part.mean(axis, { keepdim: true }) : part.max(axis, { keepdim: true });
  });
  return x.wrap(concatenate(parts.map(({ node }) => node) as [Node, ...Node[]], axis));
}

function adaptivePool(op: 'sum' | 'maxReduce', x: Tensor, output: PerAxis, what: string): Tensor {
  const rank = spatialRank(x, what);
  const sizes = perAxis(output, rank, `${what} output`, 1);
  const spatial = x.shape.slice(2);
  if (sizes.every((size) => size === 1)) {
    const axes = spatial.map((_, axis) => axis + 2);
    return op === 'sum' ? x.mean(axes, { keepdim: true }) : x.max(axes, { keepdim: true });
  }
  if (spatial.every((size, axis) => size % (sizes[axis] ?? 1) === 0)) {
    const kernel = spatial.map((size, axis) => size / (sizes[axis] ?? 1));
    return op === 'sum' ? avgPool(x, { kernel }) : maxPool(x, { kernel });
  }
  // The last axis first: then ties go to the first element in row-major order, as elsewhere.
  return sizes.reduceRight((pooled, size, axis) => adaptiveAxis(op, pooled, axis + 2, size), x);
}

/** Means over as even a grid of windows as there is: [N, C, …S] → [N, C, …output]. */
export function adaptiveAvgPool(x: Tensor, output: PerAxis): Tensor {
  return adaptivePool('sum', x, output, 'adaptiveAvgPool');
}

/** Maxima over as even a grid of windows as there is. */
export function adaptiveMaxPool(x: Tensor, output: PerAxis): Tensor {
  return adaptivePool('maxReduce', x, output, 'adaptiveMaxPool');
}

export interface LpPoolingOptions extends Omit<PoolingOptions, 'padding' | 'dilation'> {
  /** The exponent. */
  readonly p: number;
}

/**
 * (Σ xᵖ)^(1/p) over each window: [N, C, …S] → [N, C, …S′]. As in PyTorch, xᵖ keeps its sign, and a window that
 * `ceilMode` lets end outside counts its mean times the kernel's size.
 */
export function lpPool(x: Tensor, { p, ...options }: LpPoolingOptions): Tensor {
  if (!(p > 0)) throw new UserError(`${describe('lpPool')}: p is ${p}`, { remedy: 'give a number above 0' });
  const size = perAxis(options.kernel, spatialRank(x, 'lpPool'), 'lpPool kernel').reduce((product, side) => product * side, 1);
  return avgPool(x.pow(p), options).mul(size).pow(1 / p);
}

/** The mean over all spatial axes: [N, C, …] → [N, C]. */
export function globalAvgPool(x: Tensor, options: ReduceOptions = {}): Tensor {
  spatialRank(x, 'globalAvgPool');
  return x.mean(x.shape.map((_, axis) => axis).slice(2), options);
}

/** The maximum over all spatial axes: [N, C, …] → [N, C]. */
export function globalMaxPool(x: Tensor, options: ReduceOptions = {}): Tensor {
  spatialRank(x, 'globalMaxPool');
  return x.max(x.shape.map((_, axis) => axis).slice(2), options);
}
