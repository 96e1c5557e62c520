// Seeded test data: the same numbers for the same seed, spread over a range that suits an operation.
import {
  arrayOf,
  build,
  elementCount,
  integerRange,
  isFloat,
  type Dtype,
  type Node,
  type Shape,
  type TypedArray,
  type VariableSlot,
} from '@athanor/core/backend';

/** Uniform numbers in [0, 1): Marsaglia's xorshift with 32 bits of state. */
export function randomSource(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Values of a dtype: floats anywhere in the range, integers in it (their whole range without one), bool either. */
export function valuesOf(dtype: Dtype, count: number, seed: number, range?: Range): TypedArray {
  const next = randomSource(seed);
  const out = arrayOf(dtype, count);
  const { low, high } = range ?? defaultRange(dtype);
  for (let i = 0; i < count; i++) {
    const x = low + next() * (high - low);
    out[i] = dtype === 'bool' ? Number(next() < 0.5) : isFloat(dtype) ? x : Math.floor(x);
  }
  return out;
}

function defaultRange(dtype: Dtype): Range {
  return dtype === 'int32' || dtype === 'uint8' || dtype === 'int8' ? integerRange[dtype] : { low: -2, high: 2 };
}

/** A leaf of seeded values. */
export function leaf(shape: Shape, dtype: Dtype, seed: number, range?: Range): Node {
  return build.data(valuesOf(dtype, elementCount(shape), seed, range), shape, dtype);
}

/** A leaf of given values. */
export function given(values: readonly number[], dtype: Dtype, shape: Shape = [values.length]): Node {
  const array = arrayOf(dtype, values.length);
  array.set(values);
  return build.data(array, shape, dtype);
}

let nextSlot = 1;

/** A Variable for graphs that are made by hand. */
export function slot(name: string, shape: Shape, dtype: Dtype): VariableSlot {
  return { id: nextSlot++, name, shape, dtype };
}
