// One program for what was asked and for every waiting assignment.
import type { Backend, Memory } from '../backend/backend.ts';
import { bytesOf, type Dtype, type TypedArray } from '../dtype.ts';
import { InternalError, UserError } from '../errors.ts';
import { data, read } from '../graph/build.ts';
import { nodeCount } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { elementCount } from '../shape.ts';
import { planFor } from './plans.ts';
import { submit, whenDone } from './queue.ts';
import { currentLeaf, resolve } from './resolve.ts';
import { engine, nodesWaiting, remember, rememberWrite, type Assignment } from './state.ts';
import { Storage } from './storage.ts';

/** Outputs up to this many bytes are read back with the run that makes them. */
export const readBackBytes = 64 * 1024;

/** Assignments wait at most until this many nodes have been made. */
export const nodeLimit = 20_000;

export interface Request {
  readonly node: Node;
  /** Where the value should be: large values may stay on the device. */
  readonly keep: 'host' | 'device';
}

export function nodeBytes(node: { readonly shape: readonly number[]; readonly dtype: Dtype }): number {
  return elementCount(node.shape) * bytesOf(node.dtype);
}

function isLeaf(node: Node): boolean {
  return node.op === 'data' || node.op === 'read' || node.op === 'constant';
}

/** Values of a host leaf, for a run. */
export function leafValues(node: Node): TypedArray {
  const values = node.op === 'data' ? node.attributes.leaf.data : undefined;
  if (values === undefined) throw new UserError('a tensor has no value: the run that should have computed it failed, or it is a placeholder');
  return values;
}

function storageOf(slot: unknown): Storage {
  if (slot instanceof Storage) return slot;
  throw new InternalError('a graph reads a variable that is no storage');
}

/** An output of a run: the memory that it fills, and the leaf that stands for it afterwards. */
interface Output {
  readonly memory: Memory;
  readonly leaf: Node;
  readonly keep: 'host' | 'device';
}

/** Names a storage for messages: where its tensor was made. */
export function originOf(node: Node): string {
  return node.module === '' ? `a tensor made by ${node.op}` : `a tensor made by ${node.op} in module ${node.module}`;
}

function deviceLeaf(node: Node, name: string): { storage: Storage; leaf: Node } {
  const storage = new Storage({ name, shape: node.shape, dtype: node.dtype });
  engine.scope?.add(storage);
  return { storage, leaf: read(storage, 0) };
}

function prepareOutput(backend: Backend, { node, keep }: Request): Output {
  const memory = backend.allocate(nodeBytes(node));
  if (keep === 'host' || nodeBytes(node) <= readBackBytes) {
    return { memory, leaf: data(undefined, node.shape, node.dtype), keep: 'host' };
  }
  const { storage, leaf } = deviceLeaf(node, originOf(node));
  storage.adopt(backend, memory);
  return { memory, leaf, keep: 'device' };
}

/** Fills a host leaf from memory that is free afterwards. */
function readBack(backend: Backend, { memory, leaf }: Output): void | Promise<void> {
  if (leaf.op !== 'data') return undefined;
  const host = leaf.attributes.leaf;
  return whenDone(backend.read(memory, leaf.dtype, elementCount(leaf.shape)), (values) => {
    host.data = values;
    backend.free(memory);
  });
}

function readBackAll(backend: Backend, outputs: readonly Output[]): void | Promise<void> {
  const reads = outputs.filter(({ keep }) => keep === 'host').map((output) => readBack(backend, output));
  const later = reads.filter((reading) => reading !== undefined);
  if (later.length > 0) return Promise.all(later).then(() => undefined);
}

/** Marks assignments as landed: versions count up, and assigned nodes become reads of the new version. */
function land(assignments: ReadonlyMap<Storage, Assignment>): void {
  for (const [storage, { value, writer }] of assignments) {
    storage.version += 1;
    storage.writer = writer;
    if (!isLeaf(value)) remember(value, read(storage, storage.version));
    if (value.op !== 'read') rememberWrite(value, storage);
  }
}

/** Takes everything that waits. A failure on the way loses these assignments: they cannot be computed later either. */
function takeWaiting(): { assignments: Map<Storage, Assignment>; wanted: Node[] } {
  const assignments = new Map([...engine.waiting].filter(([storage]) => !storage.disposed));
  const { wanted } = engine;
  engine.waiting.clear();
  engine.wanted = [];
  engine.stepped = false;
  engine.nodesAtFlush = nodeCount();
  return { assignments, wanted };
}

function distinct(requests: readonly Request[]): Request[] {
  const byNode = new Map<Node, Request>();
  for (const request of requests) {
    if (currentLeaf(request.node) === undefined) byNode.set(request.node, request);
  }
  return [...byNode.values()];
}

/** Computes what is requested together with all waiting assignments. Reads see the values from before. */
export function flush(requests: readonly Request[] = []): void {
  // A request that cannot be met must not cost the assignments that wait.
  if (engine.waiting.size > 0) resolve(requests.map(({ node }) => node));
  const { assignments, wanted } = takeWaiting();
  const asked = distinct([...wanted.map((node) => ({ node, keep: 'host' as const })), ...requests]);
  const { backend } = engine;
  const onDevice = [...assignments].filter(([, { host }]) => host === undefined);
  const fromHost = [...assignments].filter(([, { host }]) => host !== undefined);
  const roots = resolve([...asked.map(({ node }) => node), ...onDevice.map(([, { value }]) => value)]);
  const graph = {
    outputs: roots.slice(0, asked.length),
    assignments: onDevice.map(([variable], i) => ({ variable, value: roots[asked.length + i] as Node })),
  };
  const writeHost = (): void => {
    for (const [storage, { host }] of fromHost) if (host !== undefined) storage.write(backend, host);
  };
  if (roots.length === 0) {
    land(assignments);
    submit(writeHost);
    return;
  }
  const { canonical, executable } = planFor(backend, graph);
  const outputs = asked.map((request) => prepareOutput(backend, request));
  asked.forEach(({ node }, i) => {
    const output = outputs[i];
    if (output !== undefined) remember(node, output.leaf);
  });
  land(assignments);
  const finish = (): void | Promise<void> => {
    writeHost();
    return readBackAll(backend, outputs);
  };
  submit(() => {
    const binding = {
      inputs: canonical.inputs.map(leafValues),
      variables: canonical.variables.map((slot) => storageOf(slot).memoryOn(backend)),
      outputs: outputs.map(({ memory }) => memory),
    };
    const ran = backend.run(executable, binding);
    return ran === undefined ? finish() : ran.then(finish);
  });
}

let warn: (message: string) => void = (message) => {
  globalThis.console.warn(message);
};

/** Sends the engine's warnings elsewhere than to the console. */
export function onWarning(listener: (message: string) => void): void {
  warn = listener;
}

/** Flushes where the design says so without being asked: after an optimiser step, or when too many nodes wait. */
export function flushBeforeRead(): void {
  if (engine.trace !== undefined || engine.holding) return;
  if (engine.stepped) {
    flush();
    return;
  }
  if (engine.waiting.size === 0 || nodesWaiting() < nodeLimit) return;
  if (!engine.warned) {
    engine.warned = true;
    warn(`athanor: ${nodesWaiting()} nodes were made while ${engine.waiting.size} assignments waited; they are computed now. ` +
      'Await a value or end a scope once per step to choose the moment.');
  }
  flush();
}
