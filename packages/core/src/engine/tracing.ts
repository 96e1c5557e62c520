// Running a function for the graph that it makes: its results, its assignments, and nothing done to the outside.
import { UserError } from '../errors.ts';
import type { CanonicalGraph } from '../backend/backend.ts';
import { canonicalize } from '../graph/canonical.ts';
import { nodeCount } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { postorder } from '../graph/order.ts';
import { Tensor } from '../tensor/tensor.ts';
import { flush } from './flush.ts';
import { mapTree, type Leaf } from './pytree.ts';
import { currentLeaf, resolve } from './resolve.ts';
import { engine, type Assignment, type Trace } from './state.ts';
import type { Storage } from './storage.ts';

/** A place in a result where an output goes. */
export class OutputSlot {
  readonly position: number;

  constructor(position: number) {
    this.position = position;
  }
}

export interface TracedGraph {
  readonly trace: Trace;
  /** The result with tensors replaced by slots. */
  readonly result: unknown;
  /** Host values in the result, which are fixed from now on. */
  readonly fixed: readonly Leaf[];
  readonly assignments: readonly (readonly [Storage, Assignment])[];
  readonly graph: CanonicalGraph;
}

/** Runs a function with assignments, draws and flags noted instead of done. */
export function traced<T>(name: string, mayCreate: boolean, fn: () => T): { readonly trace: Trace; readonly result: T } {
  const trace: Trace = { name, mayCreate, start: nodeCount(), assignments: new Map(), flags: new Map(), draws: new Map(), mistake: undefined };
  const outer = engine.trace;
  engine.trace = trace;
  try {
    const result = fn();
    if (trace.mistake !== undefined) throw trace.mistake;
    return { trace, result };
  } finally {
    engine.trace = outer;
  }
}

/** Tensors of the outside that a traced graph uses and that are not computed yet, but for those made of constants alone. */
function capturedNodes(roots: readonly Node[], start: number): Node[] {
  const captured: Node[] = [];
  const seen = new Set(roots);
  const stack = [...seen];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.inputs.length === 0 || currentLeaf(node) !== undefined) continue;
    if (node.id <= start) captured.push(node);
    else {
      for (let i = 0; i < node.inputs.length; i++) {
        const input = node.inputs[i] as Node;
        if (seen.has(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
  }
  const fromData = new Set<Node>();
  for (const node of postorder(captured)) {
    if (node.op === 'data' || node.op === 'read' || node.inputs.some((input) => fromData.has(input))) fromData.add(node);
  }
  return captured.filter((node) => fromData.has(node));
}

/** Their values are fixed now, as the plain function would see them at every call. */
function fixCaptured(roots: readonly Node[], start: number): void {
  const captured = capturedNodes(roots, start);
  if (captured.length === 0) return;
  const { scope } = engine;
  engine.scope = undefined;
  try {
    flush(captured.map((node) => ({ node, keep: 'device' })));
  } finally {
    engine.scope = scope;
  }
}

/** Traces a function into one graph: distinct output tensors first, then everything that it assigns. */
export function traceGraph(name: string, fn: () => unknown): TracedGraph {
  const { trace, result } = traced(name, false, fn);
  if (result instanceof Promise) throw new UserError(`${name} is asynchronous`, { remedy: 'compile a plain function and await its results outside' });
  const outputs: Node[] = [];
  const fixed: Leaf[] = [];
  const slots = mapTree(result, (value) => {
    if (!(value instanceof Tensor)) {
      fixed.push(value);
      return value;
    }
    const known = outputs.indexOf(value.node);
    return new OutputSlot(known >= 0 ? known : outputs.push(value.node) - 1);
  }, `a result of ${name}`);
  const assignments = [...trace.assignments];
  const roots = [...outputs, ...assignments.map(([, { value }]) => value)];
  fixCaptured(roots, trace.start);
  const resolved = resolve(roots);
  const graph = canonicalize({
    outputs: resolved.slice(0, outputs.length),
    assignments: assignments.map(([variable], i) => ({ variable, value: resolved[outputs.length + i] as Node })),
  });
  return { trace, result: slots, fixed, assignments, graph };
}
