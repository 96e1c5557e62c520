// Short names and small compositions in which gradient rules are written.
import { apply, constant, iota, reduce, where } from '../graph/build.ts';
import { derive } from '../graph/create.ts';
import { dot } from '../graph/combine.ts';
import { expand, pad, permute, reshape, slice } from '../graph/move.ts';
import type { Node, PaddingPair } from '../graph/node.ts';
import type { Shape } from '../shape.ts';

export const add = (a: Node, b: Node): Node => apply('add', a, b);
export const sub = (a: Node, b: Node): Node => apply('sub', a, b);
export const mul = (a: Node, b: Node): Node => apply('mul', a, b);
export const div = (a: Node, b: Node): Node => apply('div', a, b);
export const neg = (a: Node): Node => apply('neg', a);
export const equal = (a: Node, b: Node): Node => apply('eq', a, b);
export const atLeast = (a: Node, b: Node): Node => apply('le', b, a);

/** A number in the shape and dtype of x. */
export function like(x: Node, value: number): Node {
  return expand(reshape(constant(value, x.dtype), x.shape.map(() => 1)), x.shape);
}

export const scale = (x: Node, factor: number): Node => mul(x, like(x, factor));
export const zerosLike = (x: Node): Node => like(x, 0);

/** x where the condition holds, else 0. */
export const onlyWhere = (condition: Node, x: Node): Node => where(condition, x, zerosLike(x));
export const exceptWhere = (condition: Node, x: Node): Node => where(condition, zerosLike(x), x);

/** Sums the axes along which `shape` is 1 and dy is not: undoes `expand`. */
export function sumTo(dy: Node, shape: Shape): Node {
  return reduce('sum', dy, [...shape.keys()].filter((axis) => shape[axis] === 1 && dy.shape[axis] !== 1));
}

/** Row-major position among the elements that a reduction over `axes` brings together, in the shape of x (int32). */
export function positions(x: Node, axes: readonly number[]): Node {
  const sizes = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  const count = sizes.reduce((product, size) => product * size, 1);
  return expand(reshape(iota(count), sizes), x.shape);
}

/** The order that brings permuted axes back. */
export function inverseOrder(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}

/** The same size on all axes but one. */
function along<T>(x: Node, axis: number, there: T, elsewhere: (size: number) => T): T[] {
  return x.shape.map((size, i) => (i === axis ? there : elsewhere(size)));
}

/** `value` before and after, along one axis. */
export function padAxis(x: Node, axis: number, padding: PaddingPair, value = 0): Node {
  return pad(x, along<PaddingPair>(x, axis, padding, () => [0, 0]), value);
}

/** Elements start … stop − 1 along one axis. */
export function sliceAxis(x: Node, axis: number, start: number, stop: number): Node {
  return slice(x, along(x, axis, start, () => 0), along(x, axis, stop, (size) => size), x.shape.map(() => 1));
}

/** step − 1 zeros between neighbours along an axis. */
export function dilate(x: Node, axis: number, step: number): Node {
  const size = x.shape[axis] ?? 0;
  if (step === 1 || size <= 1) return x;
  const apart = reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]);
  const padded = padAxis(apart, axis + 1, [0, step - 1]);
  const joined = reshape(padded, along(x, axis, size * step, (other) => other));
  return sliceAxis(joined, axis, 0, (size - 1) * step + 1);
}

/** Swaps the last two axes. */
export function transpose(x: Node): Node {
  const rank = x.shape.length;
  return permute(x, [...x.shape.keys()].map((axis) => (axis < rank - 2 ? axis : axis === rank - 2 ? rank - 1 : rank - 2)));
}

/** Matrix product over the last two axes; leading axes are batches. */
export function matmul(a: Node, b: Node): Node {
  const rank = a.shape.length;
  const batch = [...a.shape.keys()].slice(0, rank - 2).map((axis) => [axis, axis] as const);
  return dot(a, b, { batch, contract: [[rank - 1, rank - 2]], combine: 'multiply-add' });
}

/** Row and column numbers of matrices in the last two axes, in the shape of x. */
export function rowsAndColumns(x: Node): { rows: Node; columns: Node } {
  const rank = x.shape.length;
  return { rows: positions(x, [rank - 2]), columns: positions(x, [rank - 1]) };
}

/** A second node for the same value, for side tables keyed by node; canonical graphs drop it. */
export function alias(x: Node): Node {
  return derive(x, 'reshape', [x], { shape: x.shape }, x.shape, x.dtype);
}
