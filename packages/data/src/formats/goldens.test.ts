// Files made by numpy, and by the documentation of safetensors (scripts/make-goldens.py): same values, same bytes.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bfloat16ToNumber, float16ToNumber } from './convert.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readNpz, writeNpz } from './npz.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import type { StoredArray } from './storage.ts';

interface Expected {
  shape: number[];
  values: Array<number | string>;
}

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../goldens/${name}`, import.meta.url)));
const expected = JSON.parse(new TextDecoder().decode(golden('expected.json'))) as Record<
  string,
  Expected & Record<string, Expected>
>;

/** Values in the notation of expected.json. */
function plain(array: StoredArray): Array<number | string> {
  const named = (value: number): number | string => {
    if (Number.isFinite(value)) return value;
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  };
  switch (array.dtype) {
    case 'int64':
    case 'uint64':
      return Array.from(array.data, String);
    case 'float16':
      return Array.from(array.data, (bits) => named(float16ToNumber(bits)));
    case 'bfloat16':
      return Array.from(array.data, (bits) => named(bfloat16ToNumber(bits)));
    default:
      return Array.from(array.data, named);
  }
}

describe('npy files of numpy', () => {
  const names = Object.keys(expected).filter((name) => name.endsWith('.npy'));
  test.each(names)('%s', (name) => {
    const bytes = golden(name);
    const array = readNpy(bytes, name);
    expect({ shape: array.shape, values: plain(array) }).toEqual(expected[name]);
    expect(readNpy(writeNpy(array))).toEqual(array);
  });

  test.each(names.filter((name) => !/fortran|endian|version/.test(name)))('%s: our bytes are numpy’s', (name) => {
    const bytes = golden(name);
    expect(writeNpy(readNpy(bytes))).toEqual(bytes);
  });

  test.each(['text', 'complex', 'record', 'object'])('elements that are no numbers are refused: %s', (name) => {
    expect(() => readNpy(golden(`refused-${name}.npy`), name)).toThrow(
      /^(text|complex|record|object): .* cannot be read; save /,
    );
  });
});

test.each(['stored.npz', 'compressed.npz'])('npz file of numpy: %s', async (name) => {
  const arrays = await readNpz(golden(name), name);
  const found = Object.fromEntries(
    [...arrays].map(([key, array]) => [key, { shape: array.shape, values: plain(array) }]),
  );
  expect(found).toEqual(expected[name]);
  expect(await readNpz(writeNpz(arrays))).toEqual(arrays);
});

test('a safetensors file of every type', () => {
  const name = 'all-types.safetensors';
  const bytes = golden(name);
  const { tensors, metadata } = readSafetensors(bytes, name);
  const found = Object.fromEntries(
    [...tensors].map(([key, array]) => [key, { shape: array.shape, values: plain(array) }]),
  );
  expect(found).toEqual(expected[name]);
  expect([...metadata]).toEqual([
    ['format', 'pt'],
    ['note', 'quotes " and ü'],
  ]);
  expect(writeSafetensors([...tensors].toReversed(), metadata)).toEqual(bytes);
});
