// The order in which graphs are walked: operands before users, without recursion, so that long chains work.
import type { Node } from './node.ts';

/** All nodes that the roots need, operands before users; the order depends on the structure alone. */
export function postorder(roots: readonly Node[], operands: (node: Node) => readonly Node[] = (node) => node.inputs): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: Node[] = [];
  const pending: (readonly Node[])[] = [];
  const next: number[] = [];
  const enter = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push(node);
    pending.push(operands(node));
    next.push(0);
  };
  for (const root of roots) {
    enter(root);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const at = next[top] ?? 0;
      const operand = pending[top]?.[at];
      if (operand !== undefined) {
        next[top] = at + 1;
        enter(operand);
        continue;
      }
      const node = stack.pop();
      pending.pop();
      next.pop();
      if (node !== undefined) order.push(node);
    }
  }
  return order;
}
