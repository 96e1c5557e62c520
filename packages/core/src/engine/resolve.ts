// A graph before it runs: computed parts become leaves, and values that can no longer be had are errors.
import { UserError, formatShape } from '../errors.ts';
import { derive } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { postorder } from '../graph/order.ts';
import { computedLeaf } from './state.ts';
import { Storage } from './storage.ts';

function isCurrent(leaf: Node): boolean {
  if (leaf.op !== 'read') return true;
  const { variable, version } = leaf.attributes;
  return !(variable instanceof Storage) || (variable.version === version && !variable.disposed);
}

/** The leaf that stands for a computed node, unless its storage has changed since. */
export function currentLeaf(node: Node): Node | undefined {
  const leaf = computedLeaf(node);
  return leaf !== undefined && isCurrent(leaf) ? leaf : undefined;
}

function place(module: string): string {
  return module === '' ? 'outside of modules' : `in module ${module}`;
}

function assertFresh(node: Node): void {
  if (node.op !== 'read') return;
  const { variable, version } = node.attributes;
  if (!(variable instanceof Storage)) return;
  if (variable.disposed) throw variable.disposalError();
  if (variable.version === version) return;
  throw new UserError(
    `a tensor was not computed in time: it needs ${variable.name} ${formatShape(variable.shape)} as it was when read ${place(node.module)} ` +
      `(version ${version}), but ${variable.writer} has overwritten it (version ${variable.version})`,
    { remedy: 'await its data() or realize() before the overwriting, or read the variable again' },
  );
}

/** The roots with computed parts replaced by their leaves; throws if a value that they need was overwritten. */
export function resolve(roots: readonly Node[]): Node[] {
  const replaced = new Map<Node, Node>();
  const operands = (node: Node): readonly Node[] => {
    const leaf = node.inputs.length === 0 ? undefined : currentLeaf(node);
    if (leaf === undefined) return node.inputs;
    replaced.set(node, leaf);
    return [];
  };
  const order = postorder(roots, operands);
  for (const node of order) if (node.inputs.length === 0) assertFresh(node);
  if (replaced.size === 0) return [...roots];
  for (const node of order) {
    if (replaced.has(node)) continue;
    if (!node.inputs.some((input) => replaced.has(input))) continue;
    const inputs = node.inputs.map((input) => replaced.get(input) ?? input);
    replaced.set(node, derive(node, node.op, inputs, node.attributes, node.shape, node.dtype));
  }
  return roots.map((root) => replaced.get(root) ?? root);
}
