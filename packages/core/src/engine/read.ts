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
  throw new UserError(`${describe(what)} inside ${engine.trace.name}: a traced function has no values yet`, {
    remedy: 'return the tensor and read it outside',
  });
}

/** A leaf with the value of a node: itself, one computed earlier, or one that a flush makes now. */
function leafOf(node: Node, keep: Request['keep']): Node {
  if (node.op === 'data' && node.attributes.leaf.data !== undefined) return node;
  const known = currentLeaf(node);
  if (known !== undefined && engine.waiting.size === 0) return known;
  const readable = node.op === 'read' && node.attributes.variable instanceof Storage && node.attributes.version === node.attributes.variable.version;
  if (readable && engine.waiting.size === 0) {
    if (node.attributes.variable.disposed) throw node.attributes.variable.disposalError();
    return node;
  }
  flush([{ node, keep }]);
  const leaf = currentLeaf(node);
  if (leaf === undefined) throw new InternalError(`a flush left ${node.op} without a value`);
  return leaf;
}

/** A fresh host copy of a node's value, after all runs submitted so far. */
export async function readNode(node: Node): Promise<TypedArray> {
  assertNotTracing('data()');
  const leaf = leafOf(node, 'host');
  await settled();
  return copyOut(leaf);
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
  const leaf = leafOf(node, 'device');
  await settled();
  return leaf;
}
