// A problem as text that a person can read and rebuild: one node a line.
import { formatShape, postorder, type Node } from '@athanor/core/backend';
import type { Problem } from '../problem.ts';

export function print(problem: Problem): string {
  const { outputs, assignments = [], runs = 1 } = problem;
  const nodes = postorder([...outputs, ...assignments.map(({ value }) => value)], (node) => node.inputs);
  const names = new Map(nodes.map((node, i) => [node, `n${i}`]));
  const name = (node: Node): string => names.get(node) ?? '?';
  return [
    ...nodes.map(
      (node) =>
        `${name(node)} = ${node.op}(${node.inputs.map(name).join(', ')})${detailsOf(node)}: ${node.dtype} ${formatShape(node.shape)}`,
    ),
    ...assignments.map(({ variable, value }) => `${variable.name} ← ${name(value)}`),
    `outputs ${outputs.map(name).join(', ')}${runs > 1 ? `, ${runs} runs` : ''}`,
  ].join('\n');
}

function detailsOf(node: Node): string {
  switch (node.op) {
    case 'data':
      return ` ${few(node.attributes.leaf.data ?? [])}`;
    case 'read':
      return ` ${node.attributes.variable.name}`;
    default:
      return Object.keys(node.attributes).length === 0
        ? ''
        : ` ${JSON.stringify(node.attributes, (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}`;
  }
}

function few(values: ArrayLike<number>): string {
  const shown = Array.from({ length: Math.min(12, values.length) }, (_, i) => values[i]);
  return `{${shown.join(', ')}${values.length > 12 ? ', …' : ''}}`;
}
