// A graph without its leaves' identities: a copy that names no data and no storage, so that whoever keeps it keeps neither
// alive.
import type { CanonicalGraph } from '../backend/backend.ts';
import { derive } from './create.ts';
import type { HostLeaf, Node, VariableSlot } from './node.ts';

/** The copy. Operands are copied before their users. */
export function anonymous(graph: CanonicalGraph): CanonicalGraph {
  const slotOf = new Map(graph.variables.map((slot) => [slot, { id: slot.id, name: slot.name, shape: slot.shape, dtype: slot.dtype }]));
  const copies = new Map<Node, Node>();
  const copyOf = (node: Node): Node => copies.get(node) ?? node;
  const slot = (variable: VariableSlot): VariableSlot => slotOf.get(variable) ?? variable;
  for (const node of graph.nodes) {
    if (node.op === 'data') {
      const leaf: HostLeaf = { id: node.attributes.leaf.id, data: undefined };
      copies.set(node, derive(node, 'data', [], { leaf }, node.shape, node.dtype));
    } else if (node.op === 'read') {
      const attributes = { variable: slot(node.attributes.variable), version: node.attributes.version };
      copies.set(node, derive(node, 'read', [], attributes, node.shape, node.dtype));
    } else if (node.inputs.length > 0) {
      copies.set(node, derive(node, node.op, node.inputs.map(copyOf), node.attributes, node.shape, node.dtype));
    }
  }
  return {
    outputs: graph.outputs.map(copyOf),
    assignments: graph.assignments.map(({ variable, value }) => ({ variable: slot(variable), value: copyOf(value) })),
    nodes: graph.nodes.map(copyOf),
    inputs: graph.inputs.map(copyOf),
    variables: graph.variables.map(slot),
    hash: graph.hash,
  };
}
