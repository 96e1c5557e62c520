// Tensor: an immutable value that is computed when somebody looks. Methods build graph; reading runs it.
import type { Dtype, TypedArray } from '../dtype.ts';
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { readNodes, realizeNode } from '../engine/read.ts';
import { engine } from '../engine/state.ts';
import { Storage } from '../engine/storage.ts';
import { stopGradient } from '../gradient/gradient.ts';
import { matchShape } from './expect.ts';
import { TensorContraction } from './contraction.ts';
import { formatType, formatValues } from './format.ts';

/** An immutable value of fixed shape and dtype, computed when somebody looks. Made by `tensor`, `zeros`, … and its methods. */
export class Tensor extends TensorContraction implements Disposable {
  /** A copy of the values in row-major order; computes them, and all waiting assignments, first. */
  async data(): Promise<TypedArray> {
    const [values = new Float32Array(0)] = await readNodes([this.node]);
    return values;
  }

  /** The one value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(`item: shape ${formatShape(this.shape)} has ${this.size} elements`, { remedy: 'use data()' });
    }
    const [value = NaN] = await this.data();
    return value;
  }

  /** The values as nested arrays (booleans for bool). */
  async toArray(): Promise<NestedArray> {
    return nest(await this.data(), this.shape, this.dtype);
  }

  /**
   * Computes the tensor and keeps its value in place of how it was made: later uses start from it, Variables that it
   * read may change, and gradients do not pass it any more. Values over 64 KB stay on the device until their scope ends
   * or they are disposed of.
   */
  async realize(): Promise<this> {
    this.settle(await realizeNode(this.node));
    return this;
  }

  /** The same value, through which no gradient passes. */
  detach(): Tensor {
    return this.wrap(stopGradient(this.node));
  }

  /** Checks the shape, as in `x.expect('B C 28 28')`: numbers, names (equal ones have equal sizes), `_` and `...`. */
  expect(pattern: string, known?: Readonly<Record<string, number>>): this {
    matchShape(pattern, this.shape, known);
    return this;
  }

  /** The values as text. */
  async print(): Promise<string> {
    return `${formatValues(await this.data(), this.shape, this.dtype)} ${formatType(this.shape, this.dtype)}`;
  }

  /** What is known without computing anything. */
  override toString(): string {
    const { node } = this;
    const values = node.op === 'data' ? node.attributes.leaf.data : undefined;
    const type = formatType(this.shape, this.dtype);
    return values === undefined ? `Tensor ${type} (${node.op}, not computed)` : `Tensor ${formatValues(values, this.shape, this.dtype)} ${type}`;
  }

  /** Tensors in JavaScript arithmetic or comparisons are a mistake, so they throw. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new UserError(`a tensor ${formatType(this.shape, this.dtype)} is used as a number`, {
      remedy: 'use its methods (a.add(b), a.lt(b)), or await item()',
    });
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Frees the device memory of a realized tensor; using it afterwards is an error. */
  dispose(): void {
    const storage = deviceStorage(this);
    if (storage === undefined) return;
    engine.scope?.delete(storage);
    storage.dispose();
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The values of several tensors, computed together in one run. */
export async function readAll(tensors: readonly Tensor[]): Promise<TypedArray[]> {
  return await readNodes(tensors.map(({ node }) => node));
}

/** Arrays in arrays, all of one depth and evenly long. */
export type NestedArray = number | boolean | readonly NestedArray[];

function nest(values: TypedArray, shape: readonly number[], dtype: Dtype): NestedArray {
  const element = (i: number): number | boolean => (dtype === 'bool' ? values[i] !== 0 : (values[i] ?? NaN));
  const build = (axis: number, start: number, count: number): NestedArray => {
    if (axis === shape.length) return element(start);
    const size = shape[axis] ?? 0;
    const inner = size === 0 ? 0 : count / size;
    return Array.from({ length: size }, (_, i) => build(axis + 1, start + i * inner, inner));
  };
  return build(0, 0, values.length);
}

/** The device memory that a realized tensor owns; Variables own theirs themselves. */
export function deviceStorage(tensor: Tensor): Storage | undefined {
  const { node } = tensor;
  if (node.op !== 'read') return undefined;
  const { variable } = node.attributes;
  return variable instanceof Storage && !variable.persistent ? variable : undefined;
}
