// Compositions that the cases are made of: arithmetic with broadcasting of kept axes, normalizations, losses.
import { build, combine, elementCount, gradient, move, type BinaryOp, type Node, type ReduceOp, type UnaryOp } from '@athanor/core/backend';
import type { Problem } from './problem.ts';
import { leaf } from './values.ts';
import { filled } from './views.ts';

/** `y`, or a number, in the shape of `x`. */
function like(x: Node, y: Node | number): Node {
  return typeof y === 'number' ? filled(y, x.shape, x.dtype) : move.expand(y, x.shape);
}

/** A binary operation; the second operand grows to the first one's shape. */
export function binary(op: BinaryOp, x: Node, y: Node | number): Node {
  return build.apply(op, x, like(x, y));
}

export const unary = (op: UnaryOp, x: Node): Node => build.apply(op, x);
export const add = (x: Node, y: Node | number): Node => binary('add', x, y);
export const sub = (x: Node, y: Node | number): Node => binary('sub', x, y);
export const mul = (x: Node, y: Node | number): Node => binary('mul', x, y);
export const div = (x: Node, y: Node | number): Node => binary('div', x, y);
export const exp = (x: Node): Node => unary('exp', x);
export const square = (x: Node): Node => mul(x, x);
export const relu = (x: Node): Node => binary('max', x, 0);
export const sigmoid = (x: Node): Node => div(filled(1, x.shape, x.dtype), add(exp(unary('neg', x)), 1));

export function reduce(op: ReduceOp, x: Node, ...axes: readonly number[]): Node {
  return build.reduce(op, x, axes);
}

export function mean(x: Node, ...axes: readonly number[]): Node {
  const count = elementCount(axes.map((axis) => x.shape[axis] ?? 1));
  return mul(reduce('sum', x, ...axes), 1 / count);
}

/** Around the mean, in two passes. */
export function variance(x: Node, ...axes: readonly number[]): Node {
  return mean(square(sub(x, mean(x, ...axes))), ...axes);
}

/** (x − mean) / √(variance + ε): every normalization of this form. */
export function standardize(x: Node, ...axes: readonly number[]): Node {
  return div(sub(x, mean(x, ...axes)), unary('sqrt', add(variance(x, ...axes), 1e-5)));
}

export function softmax(x: Node, axis: number): Node {
  const powers = exp(sub(x, reduce('maxReduce', x, axis)));
  return div(powers, reduce('sum', powers, axis));
}

export function logSoftmax(x: Node, axis: number): Node {
  const shifted = sub(x, reduce('maxReduce', x, axis));
  return sub(shifted, unary('log', reduce('sum', exp(shifted), axis)));
}

/** 1 where the class, in `labels` [N, 1], is the position along axis 1 of [N, classes]. */
export function oneHot(labels: Node, classes: number): Node {
  const rows = labels.shape[0] ?? 1;
  const positions = move.expand(move.reshape(build.iota(classes), [1, classes]), [rows, classes]);
  return build.cast(build.apply('eq', positions, move.expand(labels, [rows, classes])), 'float32');
}

/** [M, K] · [K, N]. */
export function matmul(a: Node, b: Node): Node {
  return combine.dot(a, b, { batch: [], contract: [[1, 0]], combine: 'multiply-add' });
}

/** A value and its gradients with respect to some leaves, for a random incoming gradient: one training step's graph. */
export function withGradients(y: Node, targets: readonly Node[]): Problem {
  const cotangent = leaf(y.shape, y.dtype, 99);
  return { outputs: [y, ...gradient(y, cotangent, targets).filter((node) => node !== undefined)] };
}
