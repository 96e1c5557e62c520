// Common dtypes and shapes of operands: PyTorch's promotion and NumPy's broadcasting.
import { UserError } from '../errors.ts';
import { isFloat, promote, type Dtype } from '../dtype.ts';
import { iota } from '../graph/build.ts';
import { describe } from '../graph/create.ts';
import { expand, reshape } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { broadcastShapes, sameShape, type Shape } from '../shape.ts';
import { operandNode, TensorBase, type Operand } from './base.ts';

/**
 * The dtype in which operands meet. A number takes the tensor's dtype, except that a fraction lifts integers to
 * float32 and a whole number lifts bool to int32.
 */
export function commonDtype(operands: readonly Operand[]): Dtype {
  let common: Dtype | undefined;
  for (const operand of operands) {
    if (operand instanceof TensorBase) common = common === undefined ? operand.dtype : promote(common, operand.dtype);
  }
  for (const operand of operands) {
    if (typeof operand === 'boolean') common ??= 'bool';
    if (typeof operand !== 'number' || (common !== undefined && isFloat(common))) continue;
    if (!Number.isInteger(operand)) common = 'float32';
    else if (common === 'bool') common = 'int32';
  }
  return common ?? 'float32';
}

/** A node with leading axes added and axes of size 1 grown until it has a shape. */
export function broadcastNode(node: Node, shape: Shape): Node {
  if (sameShape(node.shape, shape)) return node;
  const missing = shape.length - node.shape.length;
  const raised = missing > 0 ? reshape(node, [...new Array<number>(missing).fill(1), ...node.shape]) : node;
  return expand(raised, shape);
}

/** The position along one axis, for each element of a shape: int32. */
export function positions(shape: Shape, axis: number): Node {
  const size = shape[axis] ?? 0;
  return broadcastNode(reshape(iota(size), shape.map((_, i) => (i === axis ? size : 1))), shape);
}

/** For callers without types: what is no tensor, number or boolean would become NaN. */
function requireOperand(operand: Operand, what: string): void {
  if (operand instanceof TensorBase || typeof operand === 'number' || typeof operand === 'boolean') return;
  const found = Array.isArray(operand) ? 'an array' : `a value of type ${typeof operand}`;
  throw new UserError(`${describe(what)}: ${found} where a tensor or a number is needed`, { remedy: 'make a tensor of it: tensor(…)' });
}

/** The nodes of operands in a common shape and dtype; `what` names the operation in errors. */
export function meet(operands: readonly Operand[], what: string, dtype: Dtype = commonDtype(operands)): Node[] {
  for (const operand of operands) requireOperand(operand, what);
  const nodes = operands.map((operand) => operandNode(operand, dtype));
  let shape: Shape = [];
  for (const node of nodes) if (!sameShape(node.shape, shape)) shape = broadcastShapes(shape, node.shape, describe(what));
  return nodes.map((node) => broadcastNode(node, shape));
}

/** Two operands in a common shape and dtype. */
export function meetPair(a: Operand, b: Operand, what: string, dtype?: Dtype): [Node, Node] {
  const [x, y] = dtype === undefined ? meet([a, b], what) : meet([a, b], what, dtype);
  return [x as Node, y as Node];
}
