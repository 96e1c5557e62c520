// The order in which graphs are walked: operands before users, without recursion, so that long chains work.
import type { Node } from './node.ts';

/** All nodes that the roots need, operands before users; the order depends on the structure alone. */
export function postorder(roots: readonly Node[], operands: (node: Node) => readonly Node[] = (node) => node.inputs): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: Node[] = [];
  const pending: (readonly Node[])[] = [];
  const next: number[] = [];
  for (const root of roots) {
    let entering: Node | undefined = seen.has(root) ? undefined : root;
    while (entering !== undefined || stack.length > 0) {
      if (entering !== undefined) {
        seen.add(entering);
        stack.push(entering);
        pending.push(operands(entering));
        next.push(0);
      }
      const top = stack.length - 1;
      const list = pending[top] ?? [];
      let at = next[top] ?? 0;
      entering = list[at++];
      while (entering !== undefined && seen.has(entering)) entering = list[at++];
      next[top] = at;
      if (entering !== undefined) continue;
      order.push(stack[top] as Node);
      stack.length = pending.length = next.length = top;
    }
  }
  return order;
}
