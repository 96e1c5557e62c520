// Max pooling that remembers where the maxima stood, and its partial inverse.
import { isFloat } from '../../dtype.ts';
import { ShapeError, formatShape } from '../../errors.ts';
import { withGradient } from '../../engine/differentiate.ts';
import { apply, constant, iota, reduce, where } from '../../graph/build.ts';
import { describe } from '../../graph/create.ts';
import { expand, reshape } from '../../graph/move.ts';
import { elementCount, sameShape } from '../../shape.ts';
import { onesLike, zeros } from '../../tensor/create.ts';
import { broadcastNode } from '../../tensor/promotion.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { PoolingOptions } from './pooling.ts';
import { perAxis, spatialRank, type PerAxis } from './spatial.ts';
import { offsetAxes, poolingLayout, windows } from './windows.ts';

export interface PooledWithIndices {
  readonly values: Tensor;
  /** Row-major position of each maximum in its channel's plane, int32. */
  readonly indices: Tensor;
}

/** `maxPool`, and where the maxima stood (of equal ones the first): [N, C, …S] → twice [N, C, …S′]. */
export function maxPoolWithIndices(x: Tensor, options: PoolingOptions): PooledWithIndices {
  const places = poolingLayout(x, options, 'maxPool');
  const spatial = x.shape.slice(2);
  const count = elementCount(spatial);
  const axes = offsetAxes(spatial.length);
  const cells = windows(x.node, places, -Infinity);
  const largest = reduce('maxReduce', cells, axes);
  const positions = windows(reshape(iota(count), [1, 1, ...spatial]), places, count);
  const same = apply('eq', cells, expand(largest, cells.shape));
  const hit = isFloat(x.dtype) ? apply('or', same, apply('ne', cells, cells)) : same;
  const beyond = broadcastNode(constant(count, 'int32'), cells.shape);
  const first = reduce('minReduce', where(hit, broadcastNode(positions, cells.shape), beyond), axes);
  const shape = [...x.shape.slice(0, 2), ...places.sizes];
  return { values: x.wrap(reshape(largest, shape)), indices: x.wrap(reshape(first, shape)) };
}

export interface UnpoolingOptions {
  readonly kernel: PerAxis;
  /** The kernel's size unless given. */
  readonly stride?: PerAxis | undefined;
  readonly padding?: PerAxis;
  /** Spatial sizes of the result; (S′ − 1) · stride − 2 · padding + kernel unless given. */
  readonly outputSize?: PerAxis | undefined;
}

/**
 * Values [N, C, …S′] put back to where `indices` (of `maxPoolWithIndices`) say, among zeros: [N, C, …S]. Where windows
 * overlap, the same maximum may come from several; it is put once.
 */
export function maxUnpool(x: Tensor, indices: Tensor, options: UnpoolingOptions): Tensor {
  const what = 'maxUnpool';
  const rank = spatialRank(x, what);
  if (!sameShape(x.shape, indices.shape)) {
    throw new ShapeError(`${describe(what)}: values ${formatShape(x.shape)} and indices ${formatShape(indices.shape)} differ`, { remedy: 'pass the indices that maxPoolWithIndices gave' });
  }
  const kernel = perAxis(options.kernel, rank, `${what} kernel`);
  const [stride, padding] = [perAxis(options.stride ?? kernel, rank, `${what} stride`), perAxis(options.padding ?? 0, rank, `${what} padding`)];
  const usual = kernel.map((size, axis) => ((x.shape[axis + 2] ?? 0) - 1) * (stride[axis] ?? 1) - 2 * (padding[axis] ?? 0) + size);
  const sizes = perAxis(options.outputSize ?? usual, rank, `${what} outputSize`);
  const [n = 0, channels = 0] = x.shape;
  const blank = zeros([n, channels, elementCount(sizes)], { dtype: x.dtype });
  const [values, places] = [x.reshape(n, channels, -1), indices.reshape(n, channels, -1)];
  const put = blank.scatterAdd(2, places, values);
  const apart = kernel.every((size, axis) => (stride[axis] ?? 1) >= size);
  if (apart) return put.reshape(n, channels, ...sizes);
  const times = blank.scatterAdd(2, places, onesLike(values));
  const once = withGradient(put.div(times.maximum(1)), [values], (dy) => [dy.gather(2, places)]);
  return once.reshape(n, channels, ...sizes);
}
