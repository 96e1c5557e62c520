// One compiled trace: which argument or storage each leaf of its program is bound to, and how a call runs it.
import type { Backend, Binding, Executable, Memory } from '../backend/backend.ts';
import { InternalError } from '../errors.ts';
import { data, read } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import type { Program } from '../kernel/ir.ts';
import { elementCount } from '../shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Bound } from './arguments.ts';
import { flagChanges } from './flags.ts';
import { leafValues, nodeBytes, readBackBytes } from './flush.ts';
import { executableOf } from './plans.ts';
import { submit, whenDone } from './queue.ts';
import { engine, type DrawCounter } from './state.ts';
import { Storage } from './storage.ts';
import type { TracedGraph } from './tracing.ts';

/** Where a leaf of the program gets its values at each call. */
type Source<T> = { readonly argument: number } | { readonly fixed: T };

interface PlannedOutput {
  readonly node: Node;
  /** Small outputs are read back from one memory per plan; large ones get memory of their own at each call. */
  readonly shared: Storage | undefined;
}

type Execute = (backend: Backend, executable: Executable, binding: Binding) => void | Promise<void>;

export class Plan {
  readonly backend: Backend;
  readonly traced: TracedGraph;
  readonly variables: readonly Source<Storage>[];
  calls = 0;
  readonly #name: string;
  readonly #executable: Executable;
  readonly #inputs: readonly Source<Node>[];
  readonly #outputs: readonly PlannedOutput[];
  readonly #draws: readonly (readonly [DrawCounter, number])[];
  /** The count of flag changes at which the flags were last seen to be those of the trace. */
  #flagsSeen = flagChanges();

  /** `arguments_` are the placeholders of the trace, in the order in which calls bind arguments. */
  constructor(name: string, traced: TracedGraph, arguments_: readonly Node[]) {
    const { backend } = engine;
    const { graph, trace } = traced;
    const positions = new Map<unknown, number>(arguments_.map((node, i) => [leafOf(node), i]));
    this.backend = backend;
    this.traced = traced;
    this.#name = name;
    this.#executable = executableOf(backend, graph);
    this.#inputs = graph.inputs.map((node) => {
      const argument = positions.get(leafOf(node));
      return argument === undefined ? { fixed: node } : { argument };
    });
    this.variables = graph.variables.map((slot) => {
      const argument = positions.get(slot);
      if (argument !== undefined) return { argument };
      if (slot instanceof Storage) return { fixed: slot };
      throw new InternalError(`${slot.name} is no storage`);
    });
    this.#outputs = graph.outputs.map((node) => ({ node, shared: nodeBytes(node) <= readBackBytes ? outputStorage(node, name, backend) : undefined }));
    this.#draws = [...trace.draws];
  }

  /** What a run computes; absent where the backend interprets graphs. */
  get program(): Program | undefined {
    return this.#executable.program;
  }

  /** Whether the training flags are those of the trace. */
  flagsHold(): boolean {
    if (this.#flagsSeen === flagChanges()) return true;
    for (const { seen, current } of this.traced.trace.flags.values()) if (current() !== seen) return false;
    this.#flagsSeen = flagChanges();
    return true;
  }

  /** One run: the output tensors, in order. `execute` stands in for the backend's plain run. */
  run(bound: readonly Bound[], execute: Execute = (backend, executable, binding) => backend.run(executable, binding)): Tensor[] {
    const { backend } = this;
    const targets = this.#outputs.map(({ node, shared }) => shared ?? outputStorage(node, this.#name, backend));
    const leaves = this.#outputs.map(({ node, shared }, i) => this.#leaf(node, shared === undefined ? targets[i] : undefined));
    const inputs = this.#inputs.map((source) => ('fixed' in source ? source.fixed : hostLeaf(bound[source.argument])));
    const storages = this.variables.map((source) => ('fixed' in source ? source.fixed : storageOf(bound[source.argument])));
    this.#land();
    submit(() => {
      const memoryOf = (storage: Storage): Memory => storage.memoryOn(backend);
      const ran = execute(backend, this.#executable, { inputs: inputs.map(leafValues), variables: storages.map(memoryOf), outputs: targets.map(memoryOf) });
      return ran === undefined ? this.#readBack(leaves) : ran.then(() => this.#readBack(leaves));
    });
    this.calls += 1;
    return leaves.map((leaf) => new Tensor(leaf));
  }

  /** Frees what only this plan uses. */
  dispose(): void {
    for (const { shared } of this.#outputs) shared?.dispose();
  }

  #leaf(node: Node, own: Storage | undefined): Node {
    if (own === undefined) return data(undefined, node.shape, node.dtype);
    engine.scope?.add(own);
    return read(own, 0);
  }

  #readBack(leaves: readonly Node[]): void | Promise<void> {
    const later: Promise<void>[] = [];
    for (const [i, { node, shared }] of this.#outputs.entries()) {
      const leaf = leaves[i];
      if (shared === undefined || leaf?.op !== 'data') continue;
      const host = leaf.attributes.leaf;
      const reading = whenDone(this.backend.read(shared.memoryOn(this.backend), node.dtype, elementCount(node.shape)), (values) => {
        host.data = values;
      });
      if (reading instanceof Promise) later.push(reading);
    }
    if (later.length > 0) return Promise.all(later).then(() => undefined);
  }

  /** What a run changes, as the host sees it. */
  #land(): void {
    for (const [storage, { writer }] of this.traced.assignments) {
      storage.version += 1;
      storage.writer = writer;
    }
    for (const [counter, draws] of this.#draws) counter.advance(draws);
  }
}

/** What tells placeholders apart: canonical graphs may have other nodes for them. */
function leafOf(node: Node): unknown {
  if (node.op === 'data') return node.attributes.leaf;
  return node.op === 'read' ? node.attributes.variable : node;
}

function outputStorage(node: Node, name: string, backend: Backend): Storage {
  const storage = new Storage({ name: `a result of ${name}`, shape: node.shape, dtype: node.dtype });
  storage.adopt(backend, backend.allocate(nodeBytes(node)));
  return storage;
}

function hostLeaf(bound: Bound | undefined): Node {
  if (bound === undefined || !('leaf' in bound)) throw new InternalError('an argument of the host is bound on the device');
  return bound.leaf;
}

function storageOf(bound: Bound | undefined): Storage {
  if (bound === undefined || !('storage' in bound)) throw new InternalError('an argument on the device is bound on the host');
  return bound.storage;
}
