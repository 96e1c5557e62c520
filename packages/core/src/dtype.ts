// The six element types that tensors compute with, their storage and their promotion.

/** What an element of each dtype takes, and how it is classed. */
export const dtypes = {
  float32: { bytes: 4, kind: 'float' },
  float64: { bytes: 8, kind: 'float' },
  int32: { bytes: 4, kind: 'integer' },
  uint8: { bytes: 1, kind: 'integer' },
  int8: { bytes: 1, kind: 'integer' },
  bool: { bytes: 1, kind: 'bool' },
} as const;

/** The types of a tensor's elements; bool takes a byte. */
export type Dtype = keyof typeof dtypes;

/** Host storage of a tensor. bool is stored as one byte, 0 or 1. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Int8Array;

/** Bytes of one element. */
export function bytesOf(dtype: Dtype): number {
  return dtypes[dtype].bytes;
}

/** Whether the dtype has fractions, NaN and gradients. */
export function isFloat(dtype: Dtype): boolean {
  return dtypes[dtype].kind === 'float';
}

/** Whether arithmetic on the dtype wraps around; bool does not count. */
export function isInteger(dtype: Dtype): boolean {
  return dtypes[dtype].kind === 'integer';
}

/** A zero-filled array that stores `length` elements of a dtype. */
export function arrayOf(dtype: Dtype, length: number): TypedArray {
  return new constructors[dtype](length);
}

/** The elements of a dtype that lie in `buffer` from a byte on. */
export function viewOf(dtype: Dtype, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float64':
      return new Float64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    default:
      return new Uint8Array(buffer, byteOffset, length);
  }
}

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** Rounds, wraps or saturates a number the way storing it in a dtype does (casts saturate and send NaN to 0). */
export function castNumber(value: number, dtype: Dtype): number {
  switch (dtype) {
    case 'float64':
      return value;
    case 'float32':
      return Math.fround(value);
    case 'bool':
      return value === 0 ? 0 : 1;
    default: {
      const { low, high } = integerRange[dtype];
      if (Number.isNaN(value)) return 0;
      return Math.trunc(Math.min(high, Math.max(low, value)));
    }
  }
}

/** The least and the greatest value of each integer dtype. */
export const integerRange = {
  int32: { low: -2147483648, high: 2147483647 },
  uint8: { low: 0, high: 255 },
  int8: { low: -128, high: 127 },
} as const;

/** Wraps the result of integer arithmetic into its dtype. */
export function wrapInteger(value: number, dtype: Dtype): number {
  switch (dtype) {
    case 'int32':
      return value | 0;
    case 'uint8':
      return value & 255;
    case 'int8':
      return (value << 24) >> 24;
    default:
      return value;
  }
}

const rank: Record<Dtype, number> = { bool: 0, uint8: 1, int8: 1, int32: 2, float32: 3, float64: 4 };

/** The dtype of an operation on two dtypes, as PyTorch promotes them (uint8 with int8 gives int32). */
export function promote(a: Dtype, b: Dtype): Dtype {
  if (a === b) return a;
  if (rank[a] === rank[b]) return 'int32';
  return rank[a] > rank[b] ? a : b;
}
