// Pointwise methods on one operand: `x.exp()`, `x.neg()`, … They come from the op table by themselves.
import { isFloat } from '../dtype.ts';
import { apply, cast } from '../graph/build.ts';
import { elementwise, type UnaryOp } from '../graph/elementwise.ts';
import type { Node } from '../graph/node.ts';
import { TensorMovement } from './movement.ts';
import type { Tensor } from './tensor.ts';

/** One method per unary entry of the op table. */
export type UnaryMethods = { readonly [K in UnaryOp]: () => Tensor };

/** Integers are their own rounding. */
const roundings: ReadonlySet<UnaryOp> = new Set<UnaryOp>(['floor', 'ceil', 'round', 'trunc']);

function unary(op: UnaryOp, x: Node): Node {
  if (elementwise[op].dtype !== 'float' || isFloat(x.dtype)) return apply(op, x);
  return roundings.has(op) ? x : apply(op, cast(x, 'float32'));
}

function addUnaryMethods(): new (node: Node) => TensorMovement & UnaryMethods {
  class WithUnary extends TensorMovement {}
  for (const op of Object.keys(elementwise) as UnaryOp[]) {
    if (elementwise[op].arity !== 1) continue;
    Object.defineProperty(WithUnary.prototype, op, {
      configurable: true,
      writable: true,
      value(this: WithUnary): Tensor {
        return this.wrap(unary(op, this.node));
      },
    });
  }
  return WithUnary as unknown as new (node: Node) => TensorMovement & UnaryMethods;
}

export const TensorUnary: new (node: Node) => TensorMovement & UnaryMethods = addUnaryMethods();
