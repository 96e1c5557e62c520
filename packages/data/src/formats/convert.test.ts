// 16-bit floats against the definition of rounding to nearest even, and range checks.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bfloat16ToNumber,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
  toFloat32,
  toHalf,
  toInt32,
} from './convert.ts';

const formats = [
  { name: 'float16', decode: float16ToNumber, encode: numberToFloat16, infinity: 0x7c00 },
  { name: 'bfloat16', decode: bfloat16ToNumber, encode: numberToBfloat16, infinity: 0x7f80 },
];

test.each(formats)('every $name pattern but NaN survives decoding and encoding', ({ decode, encode, infinity }) => {
  let wrong = 0;
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = decode(bits);
    const nan = (bits & 0x7fff) > infinity;
    if (nan !== Number.isNaN(value)) wrong++;
    if (nan ? !Number.isNaN(decode(encode(value))) : encode(value) !== bits) wrong++;
  }
  expect(wrong).toBe(0);
});

test.each(formats)('$name rounds to the nearest, ties to even', ({ decode, encode, infinity }) => {
  const check = (value: number) => {
    const bits = encode(value);
    const sign = bits & 0x8000;
    const magnitude = bits & 0x7fff;
    const finite = (pattern: number) =>
      pattern === infinity ? decode(infinity - 1) * 2 - decode(infinity - 2) : decode(pattern);
    const distance = (pattern: number) => Math.abs(Math.abs(value) - finite(pattern));
    expect(sign !== 0).toBe(Object.is(value, -0) || value < 0);
    for (const neighbour of [magnitude - 1, magnitude + 1]) {
      if (neighbour < 0 || neighbour > infinity || magnitude === infinity) continue;
      const tie = distance(neighbour) === distance(magnitude);
      expect(tie ? magnitude % 2 === 0 : distance(neighbour) > distance(magnitude)).toBe(true);
    }
  };
  fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), check), { numRuns: 500 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: infinity - 2 }), (bits) => check((decode(bits) + decode(bits + 1)) / 2)),
    { numRuns: 500 },
  );
});

test('out of range is an error, not infinity', () => {
  expect(() => toHalf(Float32Array.of(1, 65520), 'float16', [2])).toThrow(
    'element 1 is 65520, beyond the range of float16',
  );
  expect(toHalf(Float32Array.of(65519, Infinity), 'float16', [2]).data).toEqual(Uint16Array.of(0x7bff, 0x7c00));
  expect(() => toHalf(Float32Array.of(3.4e38), 'bfloat16', [1])).toThrow('beyond the range of bfloat16');
  expect(() => toFloat32({ dtype: 'float64', shape: [1], data: Float64Array.of(1e39) }, 'w')).toThrow(
    'w: element 0 is 1e+39, beyond the range of float32',
  );
  expect(() => toInt32({ dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 31n) }, 'n')).toThrow(
    'n: element 0 is 2147483648, beyond the range of int32',
  );
  expect(() => toInt32({ dtype: 'float32', shape: [1], data: Float32Array.of(1) }, 'n')).toThrow(
    'n holds float32, where whole numbers are needed',
  );
});

test('what fits is converted', () => {
  expect(toInt32({ dtype: 'int64', shape: [2], data: BigInt64Array.of(-(2n ** 31n), 5n) })).toEqual(
    Int32Array.of(-(2 ** 31), 5),
  );
  expect(toInt32({ dtype: 'uint32', shape: [1], data: Uint32Array.of(7) })).toEqual(Int32Array.of(7));
  expect(toFloat32({ dtype: 'float64', shape: [2], data: Float64Array.of(0.1, -Infinity) })).toEqual(
    Float32Array.of(0.1, -Infinity),
  );
  expect(toFloat32({ dtype: 'uint64', shape: [1], data: BigUint64Array.of(2n ** 40n) })).toEqual(
    Float32Array.of(2 ** 40),
  );
  expect(toFloat32({ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) })).toEqual(Float32Array.of(0, 1));
});
