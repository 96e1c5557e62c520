// For tests: values that PyTorch computed (goldens/make_goldens.py), as tensors.
import { arrayOf, type Dtype } from '../dtype.ts';
import { fromBuffer } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface PackedTensor {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly data: readonly number[];
}

/** One call of a function: what went in, what came out, and the gradients for a given cotangent. */
export interface GoldenCase {
  readonly function: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, PackedTensor>>;
  readonly output: PackedTensor;
  /** Absent where nothing has a gradient. */
  readonly cotangent?: PackedTensor;
  readonly gradients?: Readonly<Record<string, PackedTensor>>;
}

export function unpack({ shape, dtype, data }: PackedTensor): Tensor {
  const values = arrayOf(dtype, data.length);
  values.set(data);
  return fromBuffer(values, shape);
}

/** The largest difference, relative to max(1, |expected|); infinite for a NaN or another number of elements. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] ?? Number.NaN, expected[i] ?? Number.NaN];
    const error = Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(b));
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}
