// Node constructors for movement: operations that only say where an element comes from.
import { castNumber } from '../dtype.ts';
import { ShapeError, formatShape } from '../errors.ts';
import { assertSizes, elementCount, normalizeAxis, sameShape, type Shape } from '../shape.ts';
import { create, describe } from './create.ts';
import type { Node, PaddingPair } from './node.ts';

/** The same elements in row-major order under another shape. */
export function reshape(x: Node, shape: Shape): Node {
  assertSizes(shape, describe('reshape'));
  if (elementCount(shape) !== elementCount(x.shape)) {
    throw new ShapeError(`${describe('reshape')}: ${formatShape(x.shape)} has ${elementCount(x.shape)} elements, ${formatShape(shape)} has ${elementCount(shape)}`);
  }
  // Never looked through here: gradients may be asked for at x, or side tables know it. `canonicalize` shortens chains.
  return sameShape(x.shape, shape) ? x : create('reshape', [x], { shape }, shape, x.dtype);
}

/** Axis i of the result is axis order[i] of x. */
export function permute(x: Node, order: readonly number[]): Node {
  const rank = x.shape.length;
  const axes = order.map((axis) => normalizeAxis(axis, rank, describe('permute')));
  if (axes.length !== rank || new Set(axes).size !== rank) {
    throw new ShapeError(`${describe('permute')}: ${formatShape(order)} does not name each of ${rank} axes once`);
  }
  if (axes.every((axis, i) => axis === i)) return x;
  return create('permute', [x], { order: axes }, axes.map((axis) => x.shape[axis] ?? 0), x.dtype);
}

/** Grows axes of size 1; the rank stays. */
export function expand(x: Node, shape: Shape): Node {
  assertSizes(shape, describe('expand'));
  if (shape.length !== x.shape.length || x.shape.some((size, i) => size !== shape[i] && size !== 1)) {
    throw new ShapeError(`${describe('expand')}: ${formatShape(x.shape)} does not expand to ${formatShape(shape)}`, {
      remedy: 'only axes of size 1 grow',
    });
  }
  return sameShape(x.shape, shape) ? x : create('expand', [x], { shape }, shape, x.dtype);
}

/** With `value` added before and after each axis; negative amounts cut off. */
export function pad(x: Node, padding: readonly PaddingPair[], value: number): Node {
  const what = describe('pad');
  if (padding.length !== x.shape.length) throw new ShapeError(`${what}: ${padding.length} pairs for shape ${formatShape(x.shape)}`);
  if (padding.some(([low, high]) => !(Number.isInteger(low) && Number.isInteger(high) && low >= 0 && high >= 0))) {
    throw new ShapeError(`${what}: padding ${JSON.stringify(padding)} is not whole and non-negative`, { remedy: 'slice to crop' });
  }
  if (padding.every(([low, high]) => low === 0 && high === 0)) return x;
  const shape = x.shape.map((size, i) => size + (padding[i]?.[0] ?? 0) + (padding[i]?.[1] ?? 0));
  return create('pad', [x], { padding, value: castNumber(value, x.dtype) }, shape, x.dtype);
}

/** Elements start, start + step, … below stop, per axis. */
export function slice(x: Node, start: readonly number[], stop: readonly number[], step: readonly number[]): Node {
  const what = describe('slice');
  const shape = x.shape.map((size, i) => {
    const [low, high, by] = [start[i] ?? 0, stop[i] ?? size, step[i] ?? 1];
    if (!(low >= 0 && high <= size && low <= high && by >= 1 && [low, high, by].every(Number.isInteger))) {
      throw new ShapeError(`${what}: ${low}:${high}:${by} does not lie in axis ${i} of ${formatShape(x.shape)}`);
    }
    return Math.ceil((high - low) / by);
  });
  if (sameShape(shape, x.shape)) return x;
  return create('slice', [x], { start, stop, step }, shape, x.dtype);
}

/** With the order of elements reversed along axes. */
export function flip(x: Node, axes: readonly number[]): Node {
  const moving = axes.filter((axis) => (x.shape[axis] ?? 0) > 1);
  return moving.length === 0 ? x : create('flip', [x], { axes: moving }, x.shape, x.dtype);
}

/** Sliding windows over an axis: it becomes the window's position, a new last axis the offset inside it. */
export function window(x: Node, axis: number, options: { size: number; stride?: number; dilation?: number }): Node {
  const what = describe('window');
  const position = normalizeAxis(axis, x.shape.length, what);
  const { size, stride = 1, dilation = 1 } = options;
  const span = (size - 1) * dilation + 1;
  const length = x.shape[position] ?? 0;
  if (size < 1 || stride < 1 || dilation < 1 || span > length) {
    throw new ShapeError(`${what}: a window of ${size} (dilation ${dilation}, stride ${stride}) does not fit axis ${axis} of ${formatShape(x.shape)}`);
  }
  const count = Math.floor((length - span) / stride) + 1;
  const shape = [...x.shape.map((old, i) => (i === position ? count : old)), size];
  return create('window', [x], { axis: position, size, stride, dilation }, shape, x.dtype);
}
