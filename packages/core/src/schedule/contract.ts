// Contractions: the loops of dot and conv, and their operands as plain views of memory.
import type { Node, NodeOf } from '../graph/node.ts';
import { freeAxes } from '../graph/combine.ts';
import type { Affine } from '../kernel/ir.ts';
import { stridesOf } from '../shape.ts';
import { Refine, Unfusable, add, linear, scaleShift } from './affine.ts';
import { makeAxis, makeSpace, withRefinement, type AxisClass, type Space } from './space.ts';
import { isMovement, operand, sourceIndex } from './view.ts';

export type ContractNode = NodeOf<'dot'> | NodeOf<'conv'>;

function sizeOf(node: Node | undefined, axis: number): number {
  return node?.shape[axis] ?? 1;
}

/** A contraction, and the order in which its output's axes lie in memory: that of the one permutation that uses it. */
export interface Contraction {
  readonly node: ContractNode;
  readonly order: readonly number[];
}

/** The contraction that a node is, or permutes. */
export function contractionOf(node: Node): Contraction | undefined {
  if (node.op === 'dot' || node.op === 'conv') return { node, order: node.shape.map((_, i) => i) };
  const [source] = node.inputs;
  if (node.op !== 'permute' || (source?.op !== 'dot' && source?.op !== 'conv')) return undefined;
  return { node: source, order: node.attributes.order };
}

/** The space of a contraction: the axes of its output in memory's order, then its k axes. */
export function contractSpace({ node, order }: Contraction): Space {
  const classes: AxisClass[] = [];
  const kSizes: number[] = [];
  const [a, b] = node.inputs;
  if (node.op === 'dot') {
    const { batch, contract } = node.attributes;
    const mCount = (a?.shape.length ?? 0) - batch.length - contract.length;
    node.shape.forEach((_, i) => classes.push(i < batch.length ? 'batch' : i < batch.length + mCount ? 'm' : 'n'));
    for (const [axis] of contract) kSizes.push(sizeOf(a, axis));
  } else {
    // Output [N, G, O, …S]: groups are a batch, output channels are m, samples and positions are n.
    node.shape.forEach((_, i) => classes.push(i === 1 ? 'batch' : i === 2 ? 'm' : 'n'));
    kSizes.push(...(b?.shape.slice(2) ?? []));
  }
  return makeSpace([
    ...order.map((i) => makeAxis(node.shape[i] ?? 1, classes[i] ?? 'n')),
    ...kSizes.map((size) => makeAxis(size, 'k')),
  ]);
}

/** Positions in `node.inputs` of the m side (`a` of the kernel) and the n side. */
export function operandSides(node: ContractNode): { a: number; b: number } {
  return node.op === 'dot' ? { a: 0, b: 1 } : { a: 1, b: 0 };
}

export function inputOf(node: Node, side: number): Node {
  const input = node.inputs[side];
  if (input === undefined) throw new Error(`${node.op} has no operand ${side}`);
  return input;
}

/** Index of each axis of an operand in terms of the contraction's loops. */
function operandIndex({ node, order }: Contraction, side: number, space: Space): Affine[] {
  const rank = node.shape.length;
  const at = (axis: number): Affine => {
    const part = space.index[axis < rank ? order.indexOf(axis) : axis];
    if (part === undefined) throw new Error(`contraction has no axis ${axis}`);
    return part;
  };
  if (node.op === 'dot') {
    const { batch, contract } = node.attributes;
    const shape = inputOf(node, side).shape;
    const axisOf = (pair: readonly [number, number]): number => (side === 0 ? pair[0] : pair[1]);
    const out = new Array<Affine>(shape.length);
    batch.forEach((pair, i) => (out[axisOf(pair)] = at(i)));
    contract.forEach((pair, i) => (out[axisOf(pair)] = at(rank + i)));
    const free = freeAxes(shape.length, [...batch, ...contract].map(axisOf));
    const freeA = (node.inputs[0]?.shape.length ?? 0) - batch.length - contract.length;
    const first = side === 0 ? batch.length : batch.length + freeA;
    free.forEach((axis, i) => (out[axis] = at(first + i)));
    return out;
  }
  const { stride, kernelDilation } = node.attributes;
  if (side === 1) return [at(1), at(2), at(rank), ...stride.map((_, i) => at(rank + 1 + i))];
  const positions = stride.map((by, i) => add(scaleShift(at(3 + i), by, 0), scaleShift(at(rank + 1 + i), kernelDilation[i] ?? 1, 0)));
  return [at(0), at(1), at(rank), ...positions];
}

/** Position in `base` of the operand's element at each point of the space. Throws Refine or Unfusable. */
export function operandPosition(contraction: Contraction, side: number, base: Node, space: Space): Affine {
  let view = inputOf(contraction.node, side);
  let index: readonly Affine[] = operandIndex(contraction, side, space);
  while (view !== base) {
    if (!isMovement(view)) throw new Unfusable('operand is not a view');
    // Memory is contiguous: its reshape needs no division.
    if (view.op === 'reshape' && operand(view) === base) return linear(index, stridesOf(view.shape), space.loops.length);
    const source = sourceIndex(view, index, space.loops);
    if (source.guards.length > 0) throw new Unfusable('operand is padded');
    index = source.index;
    view = operand(view);
  }
  return linear(index, stridesOf(base.shape), space.loops.length);
}

/** Whether an operand can be read as a plain view of `base`. */
export function contractionFits(contraction: Contraction, side: number, base: Node): boolean {
  try {
    withRefinement(contractSpace(contraction), (space) => operandPosition(contraction, side, base, space));
    return true;
  } catch (error) {
    if (error instanceof Unfusable || error instanceof Refine) return false;
    throw error;
  }
}
