// Tensors from nothing: host data, constants, ranges; and free functions on several tensors.
import { arrayOf, castNumber, promote, type Dtype, type TypedArray } from '../dtype.ts';
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { cast, constant, data, iota } from '../graph/build.ts';
import { describe } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { assertSizes, normalizeAxis, sameShape, type Shape } from '../shape.ts';
import type { Operand } from './base.ts';
import { concatenate } from './concatenate.ts';
import { select } from './elementwise.ts';
import { broadcastNode } from './promotion.ts';
import { Tensor, type NestedArray } from './tensor.ts';

export interface TensorOptions {
  readonly shape?: Shape;
  readonly dtype?: Dtype;
}

export interface DtypeOption {
  /** float32 unless given. */
  readonly dtype?: Dtype;
}

function dtypeOf(values: TypedArray): Dtype {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Int32Array) return 'int32';
  return values instanceof Int8Array ? 'int8' : 'uint8';
}

function convert(values: ArrayLike<number>, dtype: Dtype): TypedArray {
  const out = arrayOf(dtype, values.length);
  for (let i = 0; i < values.length; i++) out[i] = castNumber(values[i] ?? 0, dtype);
  return out;
}

function nestedShape(values: NestedArray): number[] {
  const shape: number[] = [];
  for (let at: NestedArray | undefined = values; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
}

/** Numbers of a nested array in row-major order; every part must have the shape of the first. */
function flattenNested(values: NestedArray, shape: Shape): number[] {
  const out: number[] = [];
  const visit = (part: NestedArray, axis: number): void => {
    const size = shape[axis];
    if (Array.isArray(part) ? part.length !== size : size !== undefined) {
      throw new ShapeError(`tensor: the nested arrays are ragged: not every part has shape ${formatShape(shape.slice(axis))}`);
    }
    if (Array.isArray(part)) for (const inner of part) visit(inner, axis + 1);
    else if (typeof part === 'number' || typeof part === 'boolean') out.push(Number(part));
    else throw new UserError(`tensor: a value of type ${typeof part} among the numbers`, { remedy: 'give numbers, booleans, or arrays of them' });
  };
  visit(values, 0);
  return out;
}

function firstElement(values: NestedArray): number | boolean | undefined {
  let at: NestedArray | undefined = values;
  while (Array.isArray(at)) at = at[0];
  return at as number | boolean | undefined;
}

/**
 * A tensor of host values: a number, nested arrays (float32, booleans bool) or a typed array (its own dtype), which is
 * copied.
 */
export function tensor(values: NestedArray | TypedArray, options: TensorOptions = {}): Tensor {
  if (ArrayBuffer.isView(values)) {
    const own = dtypeOf(values);
    const { dtype = own, shape = [values.length] } = options;
    return new Tensor(data(dtype === own || (dtype === 'bool' && own === 'uint8') ? values.slice() : convert(values, dtype), shape, dtype));
  }
  const nested = nestedShape(values);
  const { dtype = typeof firstElement(values) === 'boolean' ? 'bool' : 'float32', shape = nested } = options;
  return new Tensor(data(convert(flattenNested(values, nested), dtype), shape, dtype));
}

/** A tensor that uses a typed array without copying it: it must not change until the tensor has been computed. */
export function fromBuffer(values: TypedArray, shape: Shape, dtype: Dtype = dtypeOf(values)): Tensor {
  return new Tensor(data(values, shape, dtype));
}

/** `value` everywhere. */
export function full(shape: Shape, value: number, options: DtypeOption = {}): Tensor {
  assertSizes(shape, describe('full'));
  return new Tensor(broadcastNode(constant(value, options.dtype ?? 'float32'), shape));
}

/** 0 everywhere. */
export function zeros(shape: Shape, options: DtypeOption = {}): Tensor {
  return full(shape, 0, options);
}

/** 1 everywhere. */
export function ones(shape: Shape, options: DtypeOption = {}): Tensor {
  return full(shape, 1, options);
}

/** `value` everywhere, with the shape and the dtype of a tensor. */
export function fullLike(x: Tensor, value: number, options: DtypeOption = {}): Tensor {
  return full(x.shape, value, { dtype: options.dtype ?? x.dtype });
}

/** 0 everywhere, with the shape and the dtype of a tensor. */
export function zerosLike(x: Tensor, options: DtypeOption = {}): Tensor {
  return fullLike(x, 0, options);
}

/** 1 everywhere, with the shape and the dtype of a tensor. */
export function onesLike(x: Tensor, options: DtypeOption = {}): Tensor {
  return fullLike(x, 1, options);
}

/** start, start + step, … below end. int32 for whole numbers, else float32. */
export function arange(start: number, end?: number, step = 1, options: DtypeOption = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (!(step !== 0 && Number.isFinite(from) && Number.isFinite(to))) throw new UserError(`arange: from ${from} to ${to} by ${step}`, { remedy: 'give finite bounds and a step other than 0' });
  const whole = Number.isInteger(from) && Number.isInteger(step);
  const dtype = options.dtype ?? (whole ? 'int32' : 'float32');
  const count = Math.max(0, Math.ceil((to - from) / step));
  const steps = new Tensor(cast(iota(count), whole ? 'int32' : dtype));
  return steps.mul(step).add(from).to(dtype);
}

/** `count` numbers from start to end, both included. */
export function linspace(start: number, end: number, count: number, options: DtypeOption = {}): Tensor {
  const steps = new Tensor(cast(iota(count), options.dtype ?? 'float32'));
  return count < 2 ? steps.add(start) : steps.mul((end - start) / (count - 1)).add(start);
}

/** The identity matrix, or its first `columns` columns. */
export function eye(rows: number, columns = rows, options: DtypeOption = {}): Tensor {
  const row = new Tensor(iota(rows)).unsqueeze(1);
  return row.eq(new Tensor(iota(columns))).to(options.dtype ?? 'float32');
}

function common(tensors: readonly Tensor[], what: string): [Node, ...Node[]] {
  const [first, ...rest] = tensors;
  if (first === undefined) throw new UserError(`${describe(what)}: no tensors`);
  const dtype = rest.reduce((all, { dtype: own }) => promote(all, own), first.dtype);
  return [cast(first.node, dtype), ...rest.map(({ node }) => cast(node, dtype))];
}

/** Tensors joined along an axis; other sizes must be equal. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const nodes = common(tensors, 'cat');
  const [first] = nodes;
  const at = normalizeAxis(axis, first.shape.length, describe('cat'));
  for (const { shape } of nodes) {
    if (shape.length !== first.shape.length || shape.some((size, i) => i !== at && size !== first.shape[i])) {
      throw new ShapeError(`${describe('cat')}: ${formatShape(first.shape)} and ${formatShape(shape)} cannot be joined along axis ${axis}`, { remedy: 'all other sizes must be equal' });
    }
  }
  return new Tensor(concatenate(nodes, at));
}

/** Tensors of one shape joined along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new UserError(`${describe('stack')}: no tensors`);
  const odd = tensors.find(({ shape }) => !sameShape(shape, first.shape));
  if (odd !== undefined) throw new ShapeError(`${describe('stack')}: shapes ${formatShape(first.shape)} and ${formatShape(odd.shape)} differ`);
  return cat(tensors.map((part) => part.unsqueeze(axis)), axis);
}

/** `a` where the condition holds, else `b`; all broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return select(condition, a, b);
}

/** Coordinates of a grid: for axes [n] and [m], two tensors [n, m] (indexing "ij"). */
export function meshgrid(...axes: readonly Tensor[]): Tensor[] {
  const shape = axes.map(({ size }) => size);
  return axes.map((axis, i) => axis.reshape(shape.map((size, j) => (i === j ? size : 1))).expand(shape));
}
