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

/** A contraction, and the axes of its output as they lie in memory: the shape of the view that uses it. */
export interface Contraction {
  readonly node: ContractNode;
  readonly axes: readonly OutputAxis[];
}

/** A part of one of the output's axes: `stride` positions of it apart. */
interface OutputAxis {
  readonly axis: number;
  readonly size: number;
  readonly stride: number;
}

/** The contraction that a node is, or permutes, whole axes or parts of them. */
export function contractionOf(node: Node): Contraction | undefined {
  const views = viewsOf(node);
  const [base] = views;
  if (base?.op !== 'dot' && base?.op !== 'conv') return undefined;
  const whole = base.shape.map((size, axis): OutputAxis => ({ axis, size, stride: 1 }));
  const [, split] = views;
  const axes = split?.op === 'reshape' ? splitAxes(base.shape, split.shape) : whole;
  if (axes === undefined) return undefined;
  return { node: base, axes: node.op === 'permute' ? node.attributes.order.flatMap((i) => axes[i] ?? []) : axes };
}

/** A node and what it views by one permutation and one reshape, the innermost first. */
export function viewsOf(node: Node): Node[] {
  const [permuted] = node.op === 'permute' ? node.inputs : [];
  const [reshaped] = permuted?.op === 'reshape' ? permuted.inputs : [];
  return [reshaped, permuted, node].filter((view) => view !== undefined);
}

/** The axes of a reshape that only splits axes. */
function splitAxes(from: readonly number[], to: readonly number[]): OutputAxis[] | undefined {
  const axes: OutputAxis[] = [];
  for (const [axis, size] of from.entries()) {
    let rest = size;
    while (rest > 1 && axes.length < to.length) {
      const part = to[axes.length] ?? 1;
      if (rest % part !== 0) return undefined;
      rest /= part;
      axes.push({ axis, size: part, stride: rest });
    }
    if (rest !== 1) return undefined;
  }
  while (axes.length < to.length) axes.push({ axis: 0, size: 1, stride: 0 });
  return axes;
}

/** The space of a contraction: the axes of its output as they lie in memory, then its k axes. */
export function contractSpace({ node, axes }: Contraction): Space {
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
    ...axes.map(({ axis, size }) => makeAxis(size, classes[axis] ?? 'n')),
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
function operandIndex({ node, axes }: Contraction, side: number, space: Space): Affine[] {
  const rank = node.shape.length;
  const at = (axis: number): Affine => {
    const index = axis < rank ? space.index.slice(0, axes.length) : space.index.slice(axes.length + axis - rank, axes.length + axis - rank + 1);
    const strides = axis < rank ? axes.map((part) => (part.axis === axis ? part.stride : 0)) : [1];
    return linear(index, strides, space.loops.length);
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
