// Compiled graphs by structure: the same computation is compiled once per backend.
import type { Backend, CanonicalGraph, Executable, Graph } from '../backend/backend.ts';
import { canonicalize } from '../graph/canonical.ts';
import { derive } from '../graph/create.ts';
import type { HostLeaf, Node, VariableSlot } from '../graph/node.ts';

/** Executables kept per backend; the least recently used one goes first. */
export const planLimit = 256;

interface Plans {
  readonly byHash: Map<string, Executable>;
  compiled: number;
}

const plansOf = new WeakMap<Backend, Plans>();

function plans(backend: Backend): Plans {
  let own = plansOf.get(backend);
  if (own === undefined) {
    own = { byHash: new Map(), compiled: 0 };
    plansOf.set(backend, own);
  }
  return own;
}

/** How many graphs a backend has compiled, and how many of them are kept. */
export function planCount(backend: Backend): { readonly compiled: number; readonly kept: number } {
  const { compiled, byHash } = plans(backend);
  return { compiled, kept: byHash.size };
}

/** A copy whose leaves name no data and no storage, so that a cached plan keeps neither alive. */
function anonymous(graph: CanonicalGraph): CanonicalGraph {
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

/** The executable of a canonical graph. */
export function executableOf(backend: Backend, graph: CanonicalGraph): Executable {
  const own = plans(backend);
  const { hash } = graph;
  let executable = own.byHash.get(hash);
  if (executable === undefined) {
    executable = backend.compile(anonymous(graph));
    own.compiled += 1;
  } else {
    own.byHash.delete(hash);
  }
  own.byHash.set(hash, executable);
  if (own.byHash.size > planLimit) {
    const [oldest] = own.byHash.keys();
    if (oldest !== undefined) own.byHash.delete(oldest);
  }
  return executable;
}

/** The executable of a graph, and the graph with its leaves in the order of the executable's binding. */
export function planFor(backend: Backend, graph: Graph): { readonly canonical: CanonicalGraph; readonly executable: Executable } {
  const canonical = canonicalize(graph);
  return { canonical, executable: executableOf(backend, canonical) };
}
