// safetensors: round trips, the exact bytes of a small file, and the message of every damage.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import type { StoredArray } from './storage.ts';

const floats: StoredArray = { dtype: 'float32', shape: [1, 2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) };

function file(header: string | object, dataLength = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataLength);
  bytes[0] = text.length & 0xff;
  bytes[1] = text.length >> 8;
  bytes.set(text, 8);
  return bytes;
}

test('a small file, byte by byte', () => {
  const text = '{"attn0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}';
  const bytes = writeSafetensors([['attn0', floats]]);
  expect(bytes.length).toBe(8 + 64 + 24);
  expect(bytes.subarray(0, 8)).toEqual(Uint8Array.of(64, 0, 0, 0, 0, 0, 0, 0));
  expect(new TextDecoder().decode(bytes.subarray(8, 72))).toBe(text.padEnd(64));
  expect(new Float32Array(bytes.buffer, 72, 6)).toEqual(floats.data);
  expect(writeSafetensors([])).toEqual(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d, 32, 32, 32, 32, 32, 32));
});

test('files whose header is not padded are read too, by copying', () => {
  const bytes = file({ test: { dtype: 'I32', shape: [2], data_offsets: [0, 8] } }, 8);
  bytes[bytes.length - 4] = 7;
  expect(readSafetensors(bytes).tensors.get('test')).toEqual({ dtype: 'int32', shape: [2], data: Int32Array.of(0, 7) });
});

test('any names, shapes and metadata round-trip', () => {
  const array = fc
    .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
    .chain((shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return fc.tuple(
        fc.constant(shape),
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: count, maxLength: count }),
      );
    })
    .chain(([shape, values]) => {
      const arrays: StoredArray[] = [
        { dtype: 'int8', shape, data: Int8Array.from(values) },
        { dtype: 'float32', shape, data: Float32Array.from(values) },
        { dtype: 'int64', shape, data: BigInt64Array.from(values, BigInt) },
      ];
      return fc.constantFrom(...arrays);
    });
  const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__');
  const tensors = fc.uniqueArray(fc.tuple(name, array), { selector: ([key]) => key, maxLength: 5 });
  const metadata = fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([key]) => key, maxLength: 3 });
  fc.assert(
    fc.property(tensors, metadata, (entries, pairs) => {
      const read = readSafetensors(writeSafetensors(entries, pairs));
      expect(read.tensors).toEqual(new Map(entries));
      expect(read.metadata).toEqual(new Map(pairs));
    }),
    { numRuns: 150 },
  );
});

test('what cannot be written is told', () => {
  expect(() => writeSafetensors([['w', { ...floats, shape: [5] }]])).toThrow('w: shape [5] does not fit 6 values');
  expect(() =>
    writeSafetensors([['w', { dtype: 'int32', shape: [1], data: Float32Array.of(1) } as unknown as StoredArray]]),
  ).toThrow('w: int32 is held by Int32Array, not Float32Array');
  expect(() =>
    writeSafetensors([
      ['w', floats],
      ['w', floats],
    ]),
  ).toThrow('there are two tensors named "w"');
  expect(() => writeSafetensors([['__metadata__', floats]])).toThrow('no tensor can be named __metadata__');
});

const entry = (dtype: string, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });
const damaged: Record<string, Uint8Array> = {
  'too short': Uint8Array.of(1, 2),
  'not safetensors': new TextEncoder().encode('<!DOCTYPE html>'),
  'header cut': file('{}').subarray(0, 9),
  'header not an object': file('[]'),
  'header not JSON': file('{"a":}'),
  'header not UTF-8': Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d),
  'name twice': file(
    '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
  ),
  'key twice': file('{"a":{"dtype":"F32","dtype":"F64","shape":[0],"data_offsets":[0,0]}}'),
  'metadata not texts': file({ __metadata__: { step: 1 } }),
  'metadata no object': file({ __metadata__: 'x' }),
  'entry no object': file({ a: 1 }),
  'unknown dtype': file({ a: entry('F8_E4M3', [1], [0, 1]) }, 1),
  'no shape': file({ a: entry('F32', null, [0, 0]) }),
  'negative size': file({ a: entry('F32', [-1], [0, 0]) }),
  'huge shape': file({ a: entry('F32', [2 ** 40, 2 ** 40], [0, 4]) }, 4),
  'offsets no pair': file({ a: entry('F32', [1], [0, 4, 8]) }, 8),
  'offsets backwards': file({ a: entry('F32', [1], [4, 0]) }, 4),
  'length wrong': file({ a: entry('F32', [2], [0, 4]) }, 4),
  overlap: file({ a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [2, 6]) }, 6),
  gap: file({ a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [8, 12]) }, 12),
  'data cut': file({ a: entry('F32', [2], [0, 8]) }, 7),
  'data left over': file({ a: entry('F32', [1], [0, 4]) }, 5),
  'not a boolean': file({ a: entry('BOOL', [1], [0, 1]) }, 1).fill(3, -1),
};

test('every damage has its message', () => {
  const messages = Object.entries(damaged).map(([name, bytes]) => {
    try {
      readSafetensors(bytes, 'model.safetensors');
      return `${name}: no error`;
    } catch (error) {
      return `${name}: ${String(error)}`;
    }
  });
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "too short: UserError: model.safetensors: a safetensors file has at least 8 bytes, this one has 2 — fetch or write the file again
    not safetensors: UserError: model.safetensors: the header would be 5789751444030890000 bytes, over the limit of 100000000: this is not a safetensors file — fetch or write the file again
    header cut: UserError: model.safetensors: truncated: the header has 2 bytes, of which 1 are there — fetch or write the file again
    header not an object: UserError: model.safetensors: the header does not begin with {: this is not a safetensors file — fetch or write the file again
    header not JSON: UserError: model.safetensors: the header is not JSON: Unexpected token '}', "{"a":}" is not valid JSON — fetch or write the file again
    header not UTF-8: UserError: model.safetensors: the header is not JSON: The encoded data was not valid for encoding utf-8 — fetch or write the file again
    name twice: UserError: model.safetensors: the header has "a" twice — fetch or write the file again
    key twice: UserError: model.safetensors: the header has "dtype" twice — fetch or write the file again
    metadata not texts: UserError: model.safetensors: __metadata__ "step" is not a text — fetch or write the file again
    metadata no object: UserError: model.safetensors: __metadata__ is not an object of texts — fetch or write the file again
    entry no object: UserError: model.safetensors: tensor "a": its entry is not an object — fetch or write the file again
    unknown dtype: UserError: model.safetensors: tensor "a": unknown dtype "F8_E4M3"; known are U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, I8, U8, BOOL — fetch or write the file again
    no shape: UserError: model.safetensors: tensor "a": null is not a shape — fetch or write the file again
    negative size: UserError: model.safetensors: tensor "a": [-1] is not a shape — fetch or write the file again
    huge shape: UserError: model.safetensors: tensor "a": [1099511627776,1099511627776] is not a shape — fetch or write the file again
    offsets no pair: UserError: model.safetensors: tensor "a": [0,4,8] is not a pair of offsets — fetch or write the file again
    offsets backwards: UserError: model.safetensors: tensor "a": [4,0] is not a pair of offsets — fetch or write the file again
    length wrong: UserError: model.safetensors: tensor "a": shape [2] of F32 needs 8 bytes, its offsets span 4 — fetch or write the file again
    overlap: UserError: model.safetensors: tensor "b" begins at byte 2, inside tensor "a" — fetch or write the file again
    gap: UserError: model.safetensors: there are 4 stray bytes between tensor "a" and tensor "b" — fetch or write the file again
    data cut: UserError: model.safetensors: truncated: tensor "a" ends at byte 8 of the data, of which 7 are there — fetch or write the file again
    data left over: UserError: model.safetensors: there are 1 stray bytes behind tensor "a" — fetch or write the file again
    not a boolean: UserError: model.safetensors: tensor "a": boolean element 0 is 3, neither 0 nor 1"
  `);
});
