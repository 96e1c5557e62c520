// Damaged files of every format: a UserError or consistent arrays, never another error.
// scripts/fuzz-formats.mjs does the same a million times.
import { UserError } from '@athanor/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readIdxFile, writeIdx } from './idx.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readNpz, writeNpz } from './npz.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import type { StoredArray } from './storage.ts';

const arrays: Array<[string, StoredArray]> = [
  ['weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) }],
  ['steps', { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, -1n) }],
  ['mask', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
];
const [weight] = arrays.map(([, array]) => array);
if (weight === undefined) throw new Error('no arrays');

/** Each format: a good file, and a reading that ends in a comparison of what was read with itself written again. */
const formats: Record<string, { good: Uint8Array; check: (bytes: Uint8Array) => Promise<void> }> = {
  safetensors: {
    good: writeSafetensors(arrays, [['format', 'pt']]),
    async check(bytes) {
      const read = readSafetensors(bytes);
      expect(readSafetensors(writeSafetensors(read.tensors, read.metadata))).toEqual(read);
    },
  },
  npy: {
    good: writeNpy(weight),
    async check(bytes) {
      const read = readNpy(bytes);
      expect(readNpy(writeNpy(read))).toEqual(read);
    },
  },
  npz: {
    good: writeNpz(arrays),
    async check(bytes) {
      const originals = arrays.map(([, array]) => array);
      for (const array of (await readNpz(bytes)).values()) expect(originals).toContainEqual(array);
    },
  },
  idx: {
    good: writeIdx({ shape: [2, 3], data: Int16Array.of(1, 2, 3, 4, 5, 6) }),
    async check(bytes) {
      const read = await readIdxFile(bytes);
      expect(await readIdxFile(writeIdx(read))).toEqual(read);
    },
  },
};

const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) });

test.each(Object.keys(formats))('%s', async (name) => {
  const format = formats[name];
  const outcomes = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 3 }), fc.option(fc.nat()), async (edits, cut) => {
      let bytes = Array.from(format?.good ?? []);
      for (const { at, remove, insert } of edits) bytes.splice(at % (bytes.length + 1), remove, ...insert);
      if (cut !== null) bytes = bytes.slice(0, cut % (bytes.length + 1));
      try {
        await format?.check(Uint8Array.from(bytes));
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        outcomes.refused++;
      }
    }),
    { numRuns: 400 },
  );
  expect(outcomes.read).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(0);
});
