// Local rewrites that need no knowledge of the rest of the graph. They keep every value, but for the sign of a zero in x + 0.
import { castNumber, isInteger } from '../dtype.ts';
import { sameShape, type Shape } from '../shape.ts';
import { derive } from './create.ts';
import { elementwise, isElementwiseOp, type ElementwiseOp } from './elementwise.ts';
import { evaluator } from './evaluate.ts';
import type { Node } from './node.ts';

/** The number that all elements of a node equal, where the graph shows it: constants, reshaped and expanded. */
export function uniformValue(node: Node): number | undefined {
  let at: Node | undefined = node;
  while (at !== undefined && (at.op === 'expand' || at.op === 'reshape')) at = at.inputs[0];
  return at?.op === 'constant' ? at.attributes.value : undefined;
}

/** `value` everywhere, in the one form that constants take: expand(reshape(constant)). */
function fill(source: Node, value: number): Node {
  const { shape, dtype } = source;
  const scalar = derive(source, 'constant', [], { value: castNumber(value, dtype) }, [], dtype);
  if (shape.length === 0) return scalar;
  const ones = shape.map(() => 1);
  const raised = derive(source, 'reshape', [scalar], { shape: ones }, ones, dtype);
  return sameShape(ones, shape) ? raised : derive(source, 'expand', [raised], { shape }, shape, dtype);
}

/** An operation dearer than this is left to the backends, whose bits it must have. */
const foldableCost = 8;

function simplifyElementwise(node: Node, op: ElementwiseOp): Node | undefined {
  const a = node.inputs[0];
  const b = node.inputs[1];
  if (a === undefined) return undefined;
  const x = uniformValue(a);
  const y = b === undefined ? x : uniformValue(b);
  if (x !== undefined && y !== undefined && elementwise[op].cost < foldableCost) return fill(node, evaluator(op, a.dtype)(x, y));
  if (op === 'neg') return a.op === 'neg' ? a.inputs[0] : undefined;
  if (b === undefined || (x === undefined && y === undefined)) return undefined;
  switch (op) {
    case 'add':
      return y === 0 ? a : x === 0 ? b : undefined;
    case 'sub':
      return y === 0 ? a : undefined;
    case 'mul': {
      if (y === 1) return a;
      if (x === 1) return b;
      return (x === 0 || y === 0) && isInteger(node.dtype) ? fill(node, 0) : undefined;
    }
    case 'div':
      return y === 1 ? a : undefined;
    case 'pow':
      return y === 1 ? a : y === 2 ? derive(node, 'mul', [a, a], {}, node.shape, node.dtype) : undefined;
    default:
      return undefined;
  }
}

function isIdentity(order: readonly number[]): boolean {
  return order.every((axis, i) => axis === i);
}

function reshaped(node: Node, source: Node, shape: Shape): Node {
  return sameShape(source.shape, shape) ? source : derive(node, 'reshape', [source], { shape }, shape, node.dtype);
}

function simplifyMovement(node: Node): Node | undefined {
  const x = node.inputs[0];
  if (x === undefined) return undefined;
  const inner = x.inputs[0];
  switch (node.op) {
    case 'reshape':
      return x.op === 'reshape' && inner !== undefined ? reshaped(node, inner, node.shape) : sameShape(x.shape, node.shape) ? x : undefined;
    case 'permute': {
      if (x.op !== 'permute' || inner === undefined) return undefined;
      const order = node.attributes.order.map((axis) => x.attributes.order[axis] ?? 0);
      return isIdentity(order) ? inner : derive(node, 'permute', [inner], { order }, node.shape, node.dtype);
    }
    case 'expand':
      return x.op === 'expand' && inner !== undefined ? derive(node, 'expand', [inner], { shape: node.shape }, node.shape, node.dtype) : undefined;
    case 'flip':
      return x.op === 'flip' && sameShape(x.attributes.axes, node.attributes.axes) ? inner : undefined;
    default:
      return undefined;
  }
}

/** Whether a node already is the form that `fill` makes. */
function isFill(node: Node): boolean {
  const below = node.op === 'expand' ? node.inputs[0] : node;
  return below?.op === 'reshape' && below.inputs[0]?.op === 'constant' && below.shape.every((size) => size === 1);
}

/** A simpler node of the same value, or undefined. The operands are simple already. */
export function simplify(node: Node): Node | undefined {
  switch (node.op) {
    case 'reshape':
    case 'permute':
    case 'expand':
    case 'slice':
    case 'flip':
    case 'window': {
      const value = node.inputs[0] === undefined ? undefined : uniformValue(node.inputs[0]);
      if (value !== undefined) return isFill(node) ? undefined : fill(node, value);
      return simplifyMovement(node);
    }
    case 'pad': {
      const value = node.inputs[0] === undefined ? undefined : uniformValue(node.inputs[0]);
      return value !== undefined && Object.is(value, node.attributes.value) ? fill(node, value) : undefined;
    }
    case 'cast': {
      const value = node.inputs[0] === undefined ? undefined : uniformValue(node.inputs[0]);
      return value === undefined ? undefined : fill(node, value);
    }
    case 'where': {
      const [condition, a, b] = node.inputs;
      const value = condition === undefined ? undefined : uniformValue(condition);
      if (value !== undefined) return value !== 0 ? a : b;
      return a === b ? a : undefined;
    }
    default:
      return isElementwiseOp(node.op) ? simplifyElementwise(node, node.op) : undefined;
  }
}
