// Arguments and results of compiled functions: tensors, numbers, booleans and strings in nested arrays and plain objects.
import { UserError } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What stands at the ends of a tree. */
export type Leaf = Tensor | number | boolean | string | null | undefined;

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function unsupported(value: unknown, what: string): UserError {
  const name = typeof value === 'object' && value !== null ? value.constructor.name : typeof value;
  const array = ArrayBuffer.isView(value);
  return new UserError(`${what}: a value of type ${name} cannot be passed`, {
    remedy: array ? 'make it a tensor' : 'pass tensors, numbers, booleans and strings, in arrays and plain objects; use models and optimisers from outside',
  });
}

/** A copy of a tree with each leaf replaced. `what` names the tree in errors. */
export function mapTree(tree: unknown, leaf: (value: Leaf) => unknown, what: string): unknown {
  if (tree instanceof Tensor || tree === null || typeof tree !== 'object') {
    if (typeof tree === 'function' || typeof tree === 'symbol' || typeof tree === 'bigint') throw unsupported(tree, what);
    return leaf(tree as Leaf);
  }
  if (Array.isArray(tree)) return tree.map((part) => mapTree(part, leaf, what));
  if (!isPlainObject(tree)) throw unsupported(tree, what);
  return Object.fromEntries(Object.entries(tree).map(([key, part]) => [key, mapTree(part, leaf, what)]));
}

/** Calls `leaf` for each end of a tree and describes the structure: equal structures have equal text. */
export function describeTree(tree: unknown, leaf: (value: Leaf) => string, what: string): string {
  if (tree instanceof Tensor || tree === null || typeof tree !== 'object') {
    if (typeof tree === 'function' || typeof tree === 'symbol' || typeof tree === 'bigint') throw unsupported(tree, what);
    return leaf(tree as Leaf);
  }
  if (Array.isArray(tree)) {
    let text = '[';
    for (const part of tree) text += `${describeTree(part, leaf, what)},`;
    return `${text}]`;
  }
  if (!isPlainObject(tree)) throw unsupported(tree, what);
  let text = '{';
  for (const key of Object.keys(tree)) text += `${JSON.stringify(key)}:${describeTree(tree[key], leaf, what)},`;
  return `${text}}`;
}

/** All tensors in a tree, in order. */
export function tensorsIn(tree: unknown): Tensor[] {
  const tensors: Tensor[] = [];
  describeTree(tree, (value) => {
    if (value instanceof Tensor) tensors.push(value);
    return '';
  }, 'a result');
  return tensors;
}
