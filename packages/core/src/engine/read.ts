// Values for the host: what `data()`, `item()` and `realize()` do.
import type { TypedArray } from '../dtype.ts';
import { InternalError, UserError } from '../errors.ts';
import { describe } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { elementCount } from '../shape.ts';
import { flush, leafValues, type Request } from './flush.ts';
import { settled, submit, whenDone } from './queue.ts';
import { currentLeaf } from './resolve.ts';
import { engine } from './state.ts';
import { Storage } from './storage.ts';

function assertNotTracing(what: string): void {
  if (engine.trace === undefined) return;
  const mistake = new UserError(`${describe(what)} inside ${engine.trace.name}: a traced function has no values yet`, {
    remedy: 'return the tensor and read it outside',
  });
  engine.trace.mistake ??= mistake;
  throw mistake;
}

/** A leaf that has a node's value already, or will have it when all runs are done: itself, or one computed earlier. */
function readyLeaf(node: Node): Node | undefined {
  if (node.op === 'data') return node;
  if (engine.waiting.size > 0) return undefined;
  if (node.op !== 'read' || !(node.attributes.variable instanceof Storage)) return currentLeaf(node);
  const { variable, version } = node.attributes;
  if (variable.disposed) throw variable.disposalError();
  return variable.version === version ? node : undefined;
}

/** Leaves with the values of nodes; those that are not ready are computed in one flush. */
function leavesOf(nodes: readonly Node[], keep: Request['keep']): Node[] {
  const ready = nodes.map(readyLeaf);
  const missing = nodes.filter((_, i) => ready[i] === undefined);
  if (missing.length > 0) flush(missing.map((node) => ({ node, keep })));
  return nodes.map((node, i) => {
    const leaf = ready[i] ?? currentLeaf(node);
    if (leaf === undefined) throw new InternalError(`a flush left ${node.op} without a value`);
    return leaf;
  });
}

/** Fresh host copies of nodes' values, computed together, after all runs submitted so far. */
export async function readNodes(nodes: readonly Node[]): Promise<TypedArray[]> {
  assertNotTracing('data()');
  const leaves = leavesOf(nodes, 'host');
  await settled();
  return await Promise.all(leaves.map(copyOut));
}

async function copyOut(leaf: Node): Promise<TypedArray> {
  if (leaf.op === 'data') return leafValues(leaf).slice();
  if (leaf.op !== 'read' || !(leaf.attributes.variable instanceof Storage)) throw new InternalError(`${leaf.op} is no leaf`);
  const storage = leaf.attributes.variable;
  const { backend } = engine;
  let values: TypedArray | undefined;
  submit(() =>
    whenDone(backend.read(storage.memoryOn(backend), leaf.dtype, elementCount(leaf.shape)), (read) => {
      values = read;
    }),
  );
  await settled();
  if (values === undefined) throw new InternalError(`${storage.name} could not be read`);
  return values;
}

/** The leaf of a node's value, computed and ready. */
export async function realizeNode(node: Node): Promise<Node> {
  assertNotTracing('realize()');
  const [leaf = node] = leavesOf([node], 'device');
  await settled();
  return leaf;
}
