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
    case 'reshape': {
      const position = linear(index, stridesOf(node.shape), loops.length);
      return { index: unravel(position, source, loops), guards: [] };
    }
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

function at(index: readonly Affine[], axis: number): Affine {
  const part = index[axis];
  if (part === undefined) throw new Error(`no index for axis ${axis}`);
  return part;
}
