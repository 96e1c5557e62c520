// Arithmetic on shapes: sizes, strides, broadcasting, axes.
import { ShapeError, formatShape } from './errors.ts';

/** Sizes of the axes, outermost first; [] for a scalar. */
export type Shape = readonly number[];

/** The product of the sizes. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i] ?? 1;
  }
  return strides;
}

/** Whether rank and all sizes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The common shape of two operands (NumPy's rule); `what` names the operation in the error. */
export function broadcastShapes(a: Shape, b: Shape, what: string): number[] {
  const length = Math.max(a.length, b.length);
  const out = new Array<number>(length);
  for (let i = 0; i < length; i++) {
    const x = a[a.length - length + i] ?? 1;
    const y = b[b.length - length + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(`${what}: cannot broadcast ${formatShape(a)} with ${formatShape(b)}`, {
        remedy: `sizes ${x} and ${y} of axis ${i - length} must be equal, or one of them 1`,
      });
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Axis in [0, rank) from an axis that may count from the end. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new ShapeError(`${what}: axis ${axis} does not exist in a tensor of rank ${rank}`, {
      remedy: rank === 0 ? 'a scalar has no axes' : `use ${-rank} … ${rank - 1}`,
    });
  }
  return positive;
}

/** Sorted distinct axes; undefined means all. */
export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number, what: string): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(axis, rank, what));
  const distinct = [...new Set(list)].sort((x, y) => x - y);
  if (distinct.length !== list.length) throw new ShapeError(`${what}: axes ${formatShape(list)} repeat an axis`);
  return distinct;
}

/** Throws a ShapeError unless all sizes are whole numbers from 0. */
export function assertSizes(shape: Shape, what: string): void {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(`${what}: ${formatShape(shape)} is not a shape`, { remedy: 'sizes are whole numbers from 0' });
    }
  }
}
