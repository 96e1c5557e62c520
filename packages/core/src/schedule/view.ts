// Movement as index rewriting: where an element of a view lies in the view's source.
import { unreachable } from '../errors.ts';
import type { Node, NodeOf } from '../graph/node.ts';
import type { Affine, Guard } from '../kernel/ir.ts';
import { stridesOf } from '../shape.ts';
import { add, alwaysInside, fixed, linear, scaleShift, unravel } from './affine.ts';

export type MovementNode = NodeOf<'reshape'> | NodeOf<'permute'> | NodeOf<'expand'> | NodeOf<'pad'> | NodeOf<'slice'> | NodeOf<'flip'> | NodeOf<'window'>;

const movementOps: ReadonlySet<string> = new Set(['reshape', 'permute', 'expand', 'pad', 'slice', 'flip', 'window']);

export function isMovement(node: Node): node is MovementNode {
  return movementOps.has(node.op);
}

/** The operand of a one-operand node. */
export function operand(node: Node): Node {
  const [input] = node.inputs;
  if (input === undefined) throw new Error(`${node.op} has no operand`);
  return input;
}

/** Index into the source of a view, and the guards that a `pad` adds. */
export function sourceIndex(node: MovementNode, index: readonly Affine[], loops: readonly number[]): { index: Affine[]; guards: Guard[] } {
  const source = operand(node).shape;
  switch (node.op) {
    case 'reshape':
      return { index: reshapeIndex(node.shape, source, index, loops), guards: [] };
    case 'permute': {
      const out = new Array<Affine>(source.length);
      node.attributes.order.forEach((axis, i) => (out[axis] = at(index, i)));
      return { index: out, guards: [] };
    }
    case 'expand':
      return { index: source.map((size, i) => (size === 1 ? fixed(0, loops.length) : at(index, i))), guards: [] };
    case 'slice': {
      const { start, step } = node.attributes;
      return { index: source.map((_, i) => scaleShift(at(index, i), step[i] ?? 1, start[i] ?? 0)), guards: [] };
    }
    case 'flip': {
      const { axes } = node.attributes;
      return { index: source.map((size, i) => (axes.includes(i) ? scaleShift(at(index, i), -1, size - 1) : at(index, i))), guards: [] };
    }
    case 'window': {
      const { axis, stride, dilation } = node.attributes;
      const offset = scaleShift(at(index, node.shape.length - 1), dilation, 0);
      return { index: source.map((_, i) => (i === axis ? add(scaleShift(at(index, i), stride, 0), offset) : at(index, i))), guards: [] };
    }
    case 'pad': {
      const out = source.map((_, i) => scaleShift(at(index, i), 1, -(node.attributes.padding[i]?.[0] ?? 0)));
      const guards = out.map((part, i) => ({ index: part, size: source[i] ?? 0 })).filter((guard) => !alwaysInside(guard, loops));
      return { index: out, guards };
    }
    default:
      return unreachable(node);
  }
}

/**
 * Index into a tensor of shape `source` from the index into its reshape. Axes are matched in the smallest runs of equal
 * product, so that an axis which both shapes share keeps its index, even where that runs out of range under a guard.
 */
function reshapeIndex(shape: readonly number[], source: readonly number[], index: readonly Affine[], loops: readonly number[]): Affine[] {
  const out: Affine[] = [];
  let i = 0;
  for (let j = 0; j < source.length; ) {
    const from = i;
    const to = j;
    let have = 1;
    let want = source[j++] ?? 1;
    while (have !== want && (i < shape.length || j < source.length)) {
      if (have < want && i < shape.length) have *= shape[i++] ?? 1;
      else if (j < source.length) want *= source[j++] ?? 1;
      else have *= shape[i++] ?? 1;
    }
    const axes = shape.slice(from, i).flatMap((size, offset) => (size === 1 ? [] : [from + offset]));
    const [only] = axes;
    const sizes = source.slice(to, j);
    if (axes.length === 1 && only !== undefined && sizes.filter((size) => size !== 1).length === 1) {
      out.push(...sizes.map((size) => (size === 1 ? fixed(0, loops.length) : at(index, only))));
    } else {
      const position = linear(axes.map((axis) => at(index, axis)), stridesOf(axes.map((axis) => shape[axis] ?? 1)), loops.length);
      out.push(...unravel(position, sizes, loops));
    }
  }
  return out;
}

function at(index: readonly Affine[], axis: number): Affine {
  const part = index[axis];
  if (part === undefined) throw new Error(`no index for axis ${axis}`);
  return part;
}
