// The check that a compiled function makes the same graph again: what changed is named by the place where it is used.
import { UserError, formatShape } from '../errors.ts';
import type { TypedArray } from '../dtype.ts';
import type { CanonicalGraph } from '../backend/backend.ts';
import type { Node } from '../graph/node.ts';
import type { TracedGraph } from './tracing.ts';

const remedy = 'pass what changes as an argument, or keep it in a Variable';

function describeNode(node: Node | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.op === 'constant') return `the number ${node.attributes.value}`;
  if (node.op === 'read') return `the value of ${node.attributes.variable.name}`;
  return `${node.op} ${node.dtype} ${formatShape(node.shape)}`;
}

/** Where a node is used: its first user that computes something, and the module that made it. */
function usedBy(node: Node, graph: CanonicalGraph): string {
  let at = node;
  for (const user of graph.nodes) {
    if (!user.inputs.includes(at)) continue;
    at = user;
    if (user.op !== 'expand' && user.op !== 'reshape' && user.op !== 'cast') break;
  }
  const place = at.module === '' ? '' : ` in module ${at.module}`;
  return at === node ? place : `, used by ${at.op}${place}`;
}

function sameNode(a: Node, b: Node | undefined, numbers: { a: ReadonlyMap<Node, number>; b: ReadonlyMap<Node, number> }): boolean {
  if (b === undefined || a.op !== b.op || a.dtype !== b.dtype || formatShape(a.shape) !== formatShape(b.shape)) return false;
  if (a.op === 'data' || a.op === 'read') return true;
  if (JSON.stringify(a.attributes) !== JSON.stringify(b.attributes)) return false;
  return a.inputs.every((input, i) => numbers.a.get(input) === numbers.b.get(b.inputs[i] as Node));
}

function firstDifference(before: CanonicalGraph, now: CanonicalGraph): string {
  const numbering = (graph: CanonicalGraph): Map<Node, number> => new Map(graph.nodes.map((node, i) => [node, i]));
  const numbers = { a: numbering(before), b: numbering(now) };
  for (const [i, node] of before.nodes.entries()) {
    const other = now.nodes[i];
    if (!sameNode(node, other, numbers)) return `${describeNode(other)}${usedBy(other ?? node, other === undefined ? before : now)} now, ${describeNode(node)} before`;
  }
  const extra = now.nodes[before.nodes.length];
  if (extra !== undefined) return `${describeNode(extra)}${usedBy(extra, now)} now, nothing before`;
  return 'other outputs or assignments';
}

function sameValues(a: TypedArray | undefined, b: TypedArray | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every((value, i) => Object.is(value, b[i]));
}

/** Host data that the function holds on to must be the same, except for its arguments. */
function changedData(before: CanonicalGraph, now: CanonicalGraph): Node | undefined {
  return now.inputs.find((node, i) => {
    const old = before.inputs[i];
    if (node.op !== 'data' || old?.op !== 'data') return true;
    return !sameValues(node.attributes.leaf.data, old.attributes.leaf.data);
  });
}

/** Variables must be the same ones; placeholders of arguments on the device are new at each trace. */
function changedVariable(before: CanonicalGraph, now: CanonicalGraph, isArgument: (position: number) => boolean): number {
  return now.variables.findIndex((slot, i) => slot !== before.variables[i] && !isArgument(i));
}

/** Throws if a second trace differs from the first. */
export function assertSameTrace(name: string, before: TracedGraph, now: TracedGraph, isArgument: (position: number) => boolean): void {
  const fail = (what: string): never => {
    throw new UserError(`${name} makes another graph than when it was traced: ${what}`, { remedy });
  };
  if (before.graph.hash !== now.graph.hash) fail(firstDifference(before.graph, now.graph));
  const data = changedData(before.graph, now.graph);
  if (data !== undefined) fail(`the values of ${describeNode(data)}${usedBy(data, now.graph)} have changed`);
  const variable = changedVariable(before.graph, now.graph, isArgument);
  if (variable >= 0) fail(`${now.graph.variables[variable]?.name ?? ''} takes the place of ${before.graph.variables[variable]?.name ?? ''}`);
  now.fixed.forEach((value, i) => {
    if (!Object.is(value, before.fixed[i])) fail(`it returns ${String(value)} now, ${String(before.fixed[i])} before`);
  });
}
