// How nodes come to be: the one place that numbers them and notes which module made them.
import type { Dtype } from '../dtype.ts';
import { DtypeError } from '../errors.ts';
import type { Shape } from '../shape.ts';
import type { Attributes, Node, NodeOf, Op, SpecialOp } from './node.ts';

/** What nodes made from now on record; modules and `checkpoint` change it while their code runs. */
export const buildContext = { module: '', region: 0 };

let nextId = 1;

/** Nodes made so far in this process: the automatic flush counts with it. */
export function nodeCount(): number {
  return nextId - 1;
}

type AttributesOf<K extends Op> = K extends SpecialOp ? Attributes[K] : Record<never, never>;

export function create<K extends Op>(
  op: K,
  inputs: readonly Node[],
  attributes: AttributesOf<K>,
  shape: Shape,
  dtype: Dtype,
): Node {
  const node: NodeOf<Op> = {
    id: nextId++,
    op,
    inputs,
    attributes,
    shape,
    dtype,
    module: buildContext.module,
    region: buildContext.region,
  } as NodeOf<Op>;
  return node as Node;
}

/** A node that stands for (a part of) `source`: it keeps the module and the region. */
export function derive<K extends Op>(
  source: Node,
  op: K,
  inputs: readonly Node[],
  attributes: AttributesOf<K>,
  shape: Shape,
  dtype: Dtype,
): Node {
  const node = { id: nextId++, op, inputs, attributes, shape, dtype, module: source.module, region: source.region };
  return node as unknown as Node;
}

/** "op (in module conv1)" for messages. */
export function describe(op: string): string {
  return buildContext.module === '' ? op : `${op} (in module ${buildContext.module})`;
}

export function requireDtype(node: Node, allowed: readonly Dtype[], what: string): void {
  if (!allowed.includes(node.dtype)) {
    throw new DtypeError(`${describe(what)}: got dtype ${node.dtype}`, { remedy: `cast to ${allowed.join(' or ')}` });
  }
}
