// Element types that files hold, and arrays of them. F16, BF16, 64-bit integers and U32 are storage only:
// `convert.ts` turns them into what tensors compute with.
import { UserError } from '@athanor/core';

interface StorageInfo {
  readonly bytes: number;
  readonly safetensors: string;
  /** Kind and size in numpy's notation; undefined where numpy has none. */
  readonly npy: string | undefined;
}

/** One line a type, in the order in which safetensors sorts them: widest alignment first. */
export const storageTypes = {
  uint64: { bytes: 8, safetensors: 'U64', npy: 'u8' },
  int64: { bytes: 8, safetensors: 'I64', npy: 'i8' },
  float64: { bytes: 8, safetensors: 'F64', npy: 'f8' },
  float32: { bytes: 4, safetensors: 'F32', npy: 'f4' },
  uint32: { bytes: 4, safetensors: 'U32', npy: 'u4' },
  int32: { bytes: 4, safetensors: 'I32', npy: 'i4' },
  bfloat16: { bytes: 2, safetensors: 'BF16', npy: undefined },
  float16: { bytes: 2, safetensors: 'F16', npy: 'f2' },
  uint16: { bytes: 2, safetensors: 'U16', npy: 'u2' },
  int16: { bytes: 2, safetensors: 'I16', npy: 'i2' },
  int8: { bytes: 1, safetensors: 'I8', npy: 'i1' },
  uint8: { bytes: 1, safetensors: 'U8', npy: 'u1' },
  bool: { bytes: 1, safetensors: 'BOOL', npy: 'b1' },
} as const satisfies Record<string, StorageInfo>;

/** Element types of files: the tensors' dtypes and those that are converted when read. */
export type StorageType = keyof typeof storageTypes;

/** What holds the elements in memory: 16-bit floats as their bits, booleans as bytes 0 and 1. */
const containers = {
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
  float32: Float32Array,
  uint32: Uint32Array,
  int32: Int32Array,
  bfloat16: Uint16Array,
  float16: Uint16Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Record<StorageType, unknown>;

/** An array as a file holds it. */
export type StoredArray = {
  [T in StorageType]: {
    readonly dtype: T;
    readonly shape: readonly number[];
    readonly data: InstanceType<(typeof containers)[T]>;
  };
}[StorageType];

/** Names of the element types in table order. */
export const storageTypeNames = Object.keys(storageTypes) as readonly StorageType[];

/** Number of elements, or undefined when the shape is not made of whole numbers or holds more than 2⁵³ elements. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** The bytes of an array, as a view. */
export function bytesOf(array: StoredArray): Uint8Array {
  return new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
}

/**
 * An array over little-endian bytes: a view of them where they are aligned, else of a copy.
 * The caller has checked that the length fits.
 * @throws UserError for booleans other than 0 and 1.
 */
export function arrayOverBytes(
  dtype: StorageType,
  shape: readonly number[],
  bytes: Uint8Array,
  place: string,
): StoredArray {
  const { bytes: size } = storageTypes[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  if (dtype === 'bool') {
    const bad = aligned.findIndex((value) => value > 1);
    if (bad >= 0) throw new UserError(`boolean element ${bad} is ${aligned[bad]}, neither 0 nor 1`, { place });
  }
  const Container = containers[dtype] as new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => StoredArray['data'];
  const data = new Container(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
  return { dtype, shape, data } as StoredArray;
}

/**
 * Checks an array that is to be written.
 * @throws UserError when its data is not of its dtype or does not fill its shape.
 */
export function checkStored(name: string, array: StoredArray): void {
  const { dtype, shape, data } = array;
  if (!(data instanceof containers[dtype])) {
    throw new UserError(
      `${name}: ${dtype} is held by ${containers[dtype].name}, not ${(data as object).constructor.name}`,
    );
  }
  if (elementCount(shape) !== data.length) {
    throw new UserError(`${name}: shape [${shape.join(', ')}] does not fit ${data.length} values`);
  }
}
