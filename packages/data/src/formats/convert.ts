// Between storage types and the float32 and int32 that tensors compute with, with range checks.
import { UserError } from '@athanor/core';
import type { StoredArray } from './storage.ts';

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The value of a binary16 bit pattern. */
export function float16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The nearest binary16 bit pattern of a float32, ties to even; finite values of 65,520 and above become infinite. */
export function numberToFloat16(value: number): number {
  float[0] = value;
  const word = bits[0] ?? 0;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2⁻¹⁴: the multiples of 2⁻²⁴. Adding 0.5 rounds the sum, whose spacing is 2⁻²⁴, to nearest even.
    bits[0] = magnitude;
    float[0] = (float[0] ?? 0) + 0.5;
    return sign | ((bits[0] ?? 0) - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** The value of a bfloat16 bit pattern: the upper half of a float32. */
export function bfloat16ToNumber(half: number): number {
  bits[0] = half << 16;
  return float[0] ?? 0;
}

/** The nearest bfloat16 bit pattern of a float32, ties to even. */
export function numberToBfloat16(value: number): number {
  float[0] = value;
  const word = bits[0] ?? 0;
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/**
 * The values as float32, rounded to nearest; a copy, except of float32.
 * @throws UserError for a finite float64 beyond float32's range.
 */
export function toFloat32(array: StoredArray, name = 'array'): Float32Array {
  switch (array.dtype) {
    case 'float32':
      return array.data;
    case 'float16':
      return Float32Array.from(array.data, float16ToNumber);
    case 'bfloat16':
      return Float32Array.from(array.data, bfloat16ToNumber);
    case 'int64':
    case 'uint64':
      return Float32Array.from(array.data, Number);
    case 'float64': {
      const bad = array.data.findIndex((value) => Number.isFinite(value) && !Number.isFinite(Math.fround(value)));
      if (bad >= 0) throw new UserError(`${name}: element ${bad} is ${array.data[bad]}, beyond the range of float32`);
      return Float32Array.from(array.data);
    }
    default:
      return Float32Array.from(array.data);
  }
}

/**
 * The values as int32; a copy, except of int32.
 * @throws UserError for a value beyond int32's range, and for floating-point arrays.
 */
export function toInt32(array: StoredArray, name = 'array'): Int32Array {
  switch (array.dtype) {
    case 'int32':
      return array.data;
    case 'float64':
    case 'float32':
    case 'float16':
    case 'bfloat16':
      throw new UserError(`${name} holds ${array.dtype}, where whole numbers are needed`);
    default: {
      const values = Int32Array.from(array.data, Number);
      const bad = values.findIndex((value, index) => value !== Number(array.data[index]));
      if (bad >= 0) throw new UserError(`${name}: element ${bad} is ${array.data[bad]}, beyond the range of int32`);
      return values;
    }
  }
}

/**
 * Float32 values as a 16-bit float type, rounded to nearest even.
 * @throws UserError for a finite value that would become infinite.
 */
export function toHalf(data: Float32Array, dtype: 'float16' | 'bfloat16', shape: readonly number[]): StoredArray {
  const infinity = dtype === 'float16' ? 0x7c00 : 0x7f80;
  const half = Uint16Array.from(data, dtype === 'float16' ? numberToFloat16 : numberToBfloat16);
  const bad = half.findIndex((value, index) => (value & 0x7fff) === infinity && Number.isFinite(data[index]));
  if (bad >= 0) throw new UserError(`element ${bad} is ${data[bad]}, beyond the range of ${dtype}`);
  return { dtype, shape, data: half };
}
