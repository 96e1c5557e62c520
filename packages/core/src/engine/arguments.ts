// The arguments of a compiled function: what they look like decides the plan, what they hold is bound at each call.
import { data, read } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { Tensor } from '../tensor/tensor.ts';
import { flush } from './flush.ts';
import { mapTree, describeTree } from './pytree.ts';
import { currentLeaf } from './resolve.ts';
import { engine } from './state.ts';
import { Storage } from './storage.ts';

/** One bound argument: a host leaf, whose values may still be on their way, or memory on the device. */
export type Bound = { readonly leaf: Node } | { readonly storage: Storage };

/** Arguments as a call binds them. */
export interface BoundArguments {
  /** Equal for calls that one plan can serve. */
  readonly key: string;
  readonly bound: readonly Bound[];
}

/** A storage that never changes may be bound where a placeholder stands; a Variable may not, because the run could assign it. */
function fixedStorage(node: Node): Storage | undefined {
  if (node.op !== 'read') return undefined;
  const { variable } = node.attributes;
  if (!(variable instanceof Storage) || variable.persistent) return undefined;
  if (variable.disposed) throw variable.disposalError();
  return variable;
}

/** The leaf of an argument if it has a value already. */
function argumentLeaf(node: Node): Node | undefined {
  const leaf = node.op === 'data' ? node : (currentLeaf(node) ?? node);
  return leaf.op === 'data' || fixedStorage(leaf) !== undefined ? leaf : undefined;
}

function bind(leaf: Node): Bound {
  const storage = fixedStorage(leaf);
  return storage === undefined ? { leaf } : { storage };
}

/** Computes arguments that have no value yet, all in one flush. */
function computeArguments(inputs: readonly unknown[], what: string): void {
  const missing: Node[] = [];
  describeTree(inputs, (value) => {
    if (value instanceof Tensor && argumentLeaf(value.node) === undefined) missing.push(value.node);
    return '';
  }, what);
  if (missing.length > 0) flush(missing.map((node) => ({ node, keep: 'device' })));
}

/** Looks at the arguments of a call; tensors without a value are computed first. */
export function bindArguments(inputs: readonly unknown[], what: string): BoundArguments {
  const bound: Bound[] = [];
  let missing = false;
  const look = (): string =>
    describeTree(inputs, (value) => {
      if (value instanceof Tensor) {
        const leaf = argumentLeaf(value.node);
        if (leaf === undefined) {
          missing = true;
          return '';
        }
        const one = bind(leaf);
        bound.push(one);
        return `${value.dtype}[${value.shape.join()}]${'leaf' in one ? 'h' : 'd'}`;
      }
      if (typeof value === 'number') {
        bound.push({ leaf: data(Float32Array.of(value), [], 'float32') });
        return 'n';
      }
      return typeof value === 'string' ? JSON.stringify(value) : String(value);
    }, what);
  const key = look();
  if (!missing) return { key, bound };
  computeArguments(inputs, what);
  bound.length = 0;
  return { key: look(), bound };
}

/** Stand-ins for arguments while a function is traced. */
export interface Placeholders {
  readonly inputs: readonly unknown[];
  /** The node of each bound argument. */
  readonly nodes: readonly Node[];
}

/** Tensors and numbers become placeholders (numbers as scalars of float32); everything else is passed as it is. */
export function placeholders(inputs: readonly unknown[], bound: readonly Bound[], what: string): Placeholders {
  const nodes: Node[] = [];
  const stand = (node: Node): Tensor => {
    nodes.push(node);
    return new Tensor(node);
  };
  const replaced = mapTree(inputs, (value) => {
    if (typeof value === 'number') return stand(data(undefined, [], 'float32'));
    if (!(value instanceof Tensor)) return value;
    const { shape, dtype } = value;
    const one = bound[nodes.length];
    if (one !== undefined && 'storage' in one) return stand(read(new Storage({ name: `argument ${nodes.length}`, shape, dtype }), 0));
    return stand(data(undefined, shape, dtype));
  }, what);
  return { inputs: replaced as readonly unknown[], nodes };
}

/** Computes what waits: a compiled call must see it. */
export function settleWaiting(): void {
  if (engine.waiting.size > 0 || engine.wanted.length > 0) flush();
}
