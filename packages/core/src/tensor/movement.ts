// Methods that move elements without computing: shapes, axes, padding, tiling.
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { describe } from '../graph/create.ts';
import { expand, flip, pad, permute, reshape, slice, window } from '../graph/move.ts';
import type { Node, PaddingPair } from '../graph/node.ts';
import { broadcastShapes, elementCount, normalizeAxes, normalizeAxis, sameShape, type Shape } from '../shape.ts';
import { TensorBase } from './base.ts';
import { padBorder, type PaddingMode } from './padding.ts';
import { broadcastNode } from './promotion.ts';
import type { Tensor } from './tensor.ts';

/** Sizes as separate arguments or as one array. */
export type Sizes = readonly number[] | readonly [Shape];

export function sizesOf(sizes: Sizes): Shape {
  const [first] = sizes;
  return Array.isArray(first) ? first : (sizes as readonly number[]);
}

/** `shape` with its one −1 replaced by what is left of `count` elements. */
export function completeShape(shape: Shape, count: number, what: string): Shape {
  const open = shape.indexOf(-1);
  if (open < 0) return shape;
  const rest = elementCount(shape.filter((_, i) => i !== open));
  if (shape.includes(-1, open + 1)) throw new ShapeError(`${what}: ${formatShape(shape)} leaves more than one size open`);
  if (rest === 0 || count % rest !== 0) {
    throw new ShapeError(`${what}: ${count} elements do not fill ${formatShape(shape)}`, { remedy: `the sizes given make ${rest}` });
  }
  return shape.map((size, i) => (i === open ? count / rest : size));
}

/** Elements [start, stop) of one axis, every `step`-th. */
export function sliceAxis(node: Node, axis: number, start: number, stop: number, step = 1): Node {
  return slice(
    node,
    node.shape.map((_, i) => (i === axis ? start : 0)),
    node.shape.map((size, i) => (i === axis ? stop : size)),
    node.shape.map((_, i) => (i === axis ? step : 1)),
  );
}

/** A bound of a slice as Python counts: negative from the end, clipped to the axis. */
export function clipBound(bound: number, size: number): number {
  return Math.min(size, Math.max(0, bound < 0 ? bound + size : bound));
}

/** Parts of the given sizes along an axis, by halving: then gradients of n parts cost log n sums of the whole, not n. */
function cut(node: Node, axis: number, sizes: readonly number[]): Node[] {
  if (sizes.length < 2) return sizes.length === 0 ? [] : [node];
  const half = sizes.length >> 1;
  const middle = sizes.slice(0, half).reduce((sum, size) => sum + size, 0);
  const rest = sliceAxis(node, axis, middle, node.shape[axis] ?? 0);
  return [...cut(sliceAxis(node, axis, 0, middle), axis, sizes.slice(0, half)), ...cut(rest, axis, sizes.slice(half))];
}

export class TensorMovement extends TensorBase {
  /** The same elements in row-major order as another shape; one size may be −1. */
  reshape(...sizes: Sizes): Tensor {
    return this.wrap(reshape(this.node, completeShape(sizesOf(sizes), this.size, describe('reshape'))));
  }

  /** `reshape`: tensors have no memory layout of their own here. */
  view(...sizes: Sizes): Tensor {
    return this.reshape(...sizes);
  }

  /** Axis i of the result is axis `axes[i]` of this tensor. */
  permute(...axes: Sizes): Tensor {
    return this.wrap(permute(this.node, sizesOf(axes)));
  }

  /** Swaps two axes. */
  transpose(a: number, b: number): Tensor {
    const first = normalizeAxis(a, this.ndim, describe('transpose'));
    const second = normalizeAxis(b, this.ndim, describe('transpose'));
    const order = this.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));
    return this.wrap(permute(this.node, order));
  }

  /** The transposed matrix (the last two axes swapped). */
  get T(): Tensor {
    if (this.ndim < 2) throw new ShapeError(`${describe('T')}: ${formatShape(this.shape)} is not a matrix`);
    return this.transpose(-2, -1);
  }

  /** Moves axes to new places; the others keep their order. */
  movedim(source: number | readonly number[], destination: number | readonly number[]): Tensor {
    const what = describe('movedim');
    const from = (typeof source === 'number' ? [source] : source).map((axis) => normalizeAxis(axis, this.ndim, what));
    const to = (typeof destination === 'number' ? [destination] : destination).map((axis) => normalizeAxis(axis, this.ndim, what));
    if (from.length !== to.length) throw new ShapeError(`${what}: ${from.length} axes cannot move to ${to.length} places`);
    const others = this.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
    const order = this.shape.map((_, place) => {
      const moved = to.indexOf(place);
      return moved >= 0 ? (from[moved] ?? 0) : (others.shift() ?? 0);
    });
    return this.wrap(permute(this.node, order));
  }

  /** A new axis of size 1 at `axis`. */
  unsqueeze(axis: number): Tensor {
    const at = normalizeAxis(axis, this.ndim + 1, describe('unsqueeze'));
    return this.wrap(reshape(this.node, this.shape.toSpliced(at, 0, 1)));
  }

  /** Without the axes of size 1 (all of them, or those named; others named stay). */
  squeeze(axes?: number | readonly number[]): Tensor {
    const named = normalizeAxes(axes, this.ndim, describe('squeeze'));
    return this.wrap(reshape(this.node, this.shape.filter((size, axis) => size !== 1 || !named.includes(axis))));
  }

  /** Axes of size 1 grown, new axes in front; −1 keeps a size. */
  expand(...sizes: Sizes): Tensor {
    const shape = sizesOf(sizes);
    const missing = shape.length - this.ndim;
    if (missing < 0) throw new ShapeError(`${describe('expand')}: ${formatShape(this.shape)} has more axes than ${formatShape(shape)}`);
    const full = shape.map((size, i) => (size === -1 ? (this.shape[i - missing] ?? -1) : size));
    return this.wrap(expand(reshape(this.node, [...new Array<number>(missing).fill(1), ...this.shape]), full));
  }

  /** Expanded to the shape of another tensor. */
  expandAs(other: Tensor): Tensor {
    return this.expand(other.shape);
  }

  /** This tensor broadcast to a shape. */
  broadcastTo(...sizes: Sizes): Tensor {
    const shape = sizesOf(sizes);
    const common = shape.length < this.ndim ? [] : broadcastShapes(this.shape, shape, describe('broadcastTo'));
    if (!sameShape(common, shape)) throw new ShapeError(`${describe('broadcastTo')}: ${formatShape(this.shape)} does not broadcast to ${formatShape(shape)}`);
    return this.wrap(broadcastNode(this.node, shape));
  }

  /** Axes `start` … `end` joined into one. */
  flatten(start = 0, end = -1): Tensor {
    if (this.ndim === 0) return this.reshape(1);
    const first = normalizeAxis(start, this.ndim, describe('flatten'));
    const last = normalizeAxis(end, this.ndim, describe('flatten'));
    if (first > last) throw new ShapeError(`${describe('flatten')}: axis ${start} comes after axis ${end}`);
    const joined = elementCount(this.shape.slice(first, last + 1));
    return this.wrap(reshape(this.node, [...this.shape.slice(0, first), joined, ...this.shape.slice(last + 1)]));
  }

  /** One axis split into several; one size may be −1. */
  unflatten(axis: number, sizes: Shape): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('unflatten'));
    const parts = completeShape(sizes, this.shape[at] ?? 0, describe('unflatten'));
    if (elementCount(parts) !== this.shape[at]) throw new ShapeError(`${describe('unflatten')}: ${formatShape(sizes)} do not make axis ${axis} of ${formatShape(this.shape)}`);
    return this.wrap(reshape(this.node, this.shape.toSpliced(at, 1, ...parts)));
  }

  /** Elements start, start + step, … below stop of one axis; bounds count from the end when negative and are clipped. */
  slice(axis: number, start = 0, stop = Infinity, step = 1): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('slice'));
    const size = this.shape[at] ?? 0;
    const low = clipBound(start, size);
    return this.wrap(sliceAxis(this.node, at, low, Math.max(low, clipBound(stop, size)), step));
  }

  /** `length` elements of an axis from `start` on. */
  narrow(axis: number, start: number, length: number): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('narrow'));
    const size = this.shape[at] ?? 0;
    const low = start < 0 ? start + size : start;
    if (!(Number.isInteger(low) && Number.isInteger(length) && low >= 0 && length >= 0 && low + length <= size)) {
      throw new ShapeError(`${describe('narrow')}: ${length} elements from ${start} on are not in axis ${axis} of ${formatShape(this.shape)}`);
    }
    return this.wrap(sliceAxis(this.node, at, low, low + length));
  }

  /** Parts of `size` elements along an axis (the last may be smaller), or of the sizes given. */
  split(size: number | readonly number[], axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.ndim, describe('split'));
    const total = this.shape[at] ?? 0;
    if (typeof size === 'number' && !(size >= 1)) throw new ShapeError(`${describe('split')}: parts of ${size} elements`, { remedy: 'give at least 1' });
    const sizes = typeof size === 'number' ? Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size)) : size;
    if (sizes.reduce((sum, part) => sum + part, 0) !== total) {
      throw new ShapeError(`${describe('split')}: parts ${formatShape(sizes)} do not add up to ${total}, axis ${axis} of ${formatShape(this.shape)}`);
    }
    return cut(this.node, at, sizes).map((part) => this.wrap(part));
  }

  /** At most `count` parts of equal size along an axis (the last may be smaller). */
  chunk(count: number, axis = 0): Tensor[] {
    const total = this.shape[normalizeAxis(axis, this.ndim, describe('chunk'))] ?? 0;
    if (!(Number.isInteger(count) && count > 0)) throw new UserError(`${describe('chunk')}: ${count} parts`, { remedy: 'give a whole number from 1' });
    return this.split(Math.max(1, Math.ceil(total / count)), axis);
  }

  /** The slices along an axis, without it. */
  unbind(axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.ndim, describe('unbind'));
    return this.split(1, at).map((part) => part.squeeze(at));
  }

  /**
   * Padding as in PyTorch: [low, high] of the last axis, then of the one before, …; filled with a number, or with the
   * tensor's own elements. Negative padding crops where it is a number that fills.
   */
  pad(padding: readonly number[], fill: number | PaddingMode = 0): Tensor {
    const what = describe('pad');
    if (padding.length % 2 !== 0 || padding.length > 2 * this.ndim) {
      throw new ShapeError(`${what}: ${padding.length} paddings for shape ${formatShape(this.shape)}`, { remedy: 'give a low and a high one per axis, from the last axis' });
    }
    const pairs = this.shape.map((_, axis): PaddingPair => {
      const at = 2 * (this.ndim - 1 - axis);
      return [padding[at] ?? 0, padding[at + 1] ?? 0];
    });
    if (typeof fill !== 'number') return this.wrap(padBorder(this.node, pairs, fill));
    const cropped = slice(
      this.node,
      pairs.map(([low]) => Math.max(0, -low)),
      this.shape.map((size, axis) => size - Math.max(0, -(pairs[axis]?.[1] ?? 0))),
      this.shape.map(() => 1),
    );
    return this.wrap(pad(cropped, pairs.map(([low, high]) => [Math.max(0, low), Math.max(0, high)]), fill));
  }

  /** Elements in reverse order along axes. */
  flip(axes: number | readonly number[]): Tensor {
    return this.wrap(flip(this.node, normalizeAxes(axes, this.ndim, describe('flip'))));
  }

  /** Tiles: the tensor repeated along each axis, new axes in front. */
  repeat(...times: Sizes): Tensor {
    const counts = sizesOf(times);
    const missing = counts.length - this.ndim;
    if (missing < 0) throw new ShapeError(`${describe('repeat')}: ${formatShape(counts)} names fewer axes than ${formatShape(this.shape)} has`);
    if (counts.some((count) => !(Number.isInteger(count) && count >= 0))) throw new ShapeError(`${describe('repeat')}: ${formatShape(counts)} times`, { remedy: 'give whole numbers from 0' });
    const old = [...new Array<number>(missing).fill(1), ...this.shape];
    const spread = reshape(this.node, old.flatMap((size) => [1, size]));
    const grown = expand(spread, old.flatMap((size, i) => [counts[i] ?? 1, size]));
    return this.wrap(reshape(grown, old.map((size, i) => size * (counts[i] ?? 1))));
  }

  /** Each element `count` times in a row along an axis. */
  repeatInterleave(count: number, axis: number): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('repeatInterleave'));
    const spread = reshape(this.node, this.shape.toSpliced(at + 1, 0, 1));
    const grown = expand(spread, spread.shape.with(at + 1, count));
    return this.wrap(reshape(grown, this.shape.with(at, (this.shape[at] ?? 0) * count)));
  }

  /** Windows of `size` elements every `step` along an axis: it becomes the window's position, a new last axis the offset. */
  unfold(axis: number, size: number, step: number): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('unfold'));
    if (!(size >= 1 && step >= 1 && size <= (this.shape[at] ?? 0))) {
      throw new ShapeError(`${describe('unfold')}: a window of ${size} every ${step} along axis ${axis} of ${formatShape(this.shape)}`);
    }
    return this.wrap(window(this.node, at, { size, stride: step }));
  }
}
