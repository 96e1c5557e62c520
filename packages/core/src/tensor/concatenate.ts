// Joining nodes along an axis. The op set has no concatenation: parts are padded to their places and chosen by position.
import { apply, constant, where } from '../graph/build.ts';
import { pad } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { broadcastNode, positions } from './promotion.ts';

function join(a: Node, b: Node, axis: number): Node {
  const first = a.shape[axis] ?? 0;
  const second = b.shape[axis] ?? 0;
  const shape = a.shape.with(axis, first + second);
  const before = pad(b, shape.map((_, i) => (i === axis ? [first, 0] : [0, 0])), 0);
  const after = pad(a, shape.map((_, i) => (i === axis ? [0, second] : [0, 0])), 0);
  const inFirst = apply('lt', positions(shape, axis), broadcastNode(constant(first, 'int32'), shape));
  return where(inFirst, after, before);
}

/** Nodes of equal dtype, and equal shape but for `axis`, joined as a balanced tree of pairs. */
export function concatenate(nodes: readonly [Node, ...Node[]], axis: number): Node {
  const full = nodes.filter((node) => node.shape[axis] !== 0);
  let parts: readonly Node[] = full.length === 0 ? nodes.slice(0, 1) : full;
  while (parts.length > 1) {
    const next: Node[] = [];
    for (let i = 0; i < parts.length; i += 2) {
      const [a, b] = [parts[i], parts[i + 1]];
      if (a !== undefined) next.push(b === undefined ? a : join(a, b, axis));
    }
    parts = next;
  }
  return parts[0] ?? nodes[0];
}
