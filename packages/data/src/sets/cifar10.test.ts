// CIFAR-10: decoding of records, reading of checked files, and the messages for what is missing or damaged.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { sha256 } from '../platform.ts';
import { cifar10, decodeCifar10, readCifar10 } from './cifar10.ts';

const folder = mkdtempSync(join(tmpdir(), 'cifar10-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => void vi.stubEnv('ATHANOR_DATA', ''));

const record = (label: number, value: number) =>
  Uint8Array.from({ length: 3073 }, (_, at) => (at === 0 ? label : (value + at) % 256));

test('records become labels and planes', () => {
  const dataset = decodeCifar10(Uint8Array.of(...record(3, 0), ...record(9, 5)));
  expect(dataset).toMatchObject({ length: 2, inputShape: [3, 32, 32], labels: Int32Array.of(3, 9) });
  expect(dataset.inputs.subarray(3072, 3075)).toEqual(Uint8Array.of(6, 7, 8));
  expect(() => decodeCifar10(new Uint8Array(3074))).toThrow(
    'CIFAR-10 records have 3073 bytes; 3074 bytes are not a whole number',
  );
  expect(() => decodeCifar10(record(10, 0))).toThrow('sample 0 has label 10, but there are 10 classes');
});

test('files are joined in order and checked', async () => {
  mkdirSync(join(folder, 'cifar-10-batches-bin'));
  const file = async (name: string, contents: Uint8Array) => {
    writeFileSync(join(folder, 'cifar-10-batches-bin', name), contents);
    return { name, sha256: await sha256(contents) };
  };
  const files = {
    train: [await file('data_batch_1.bin', record(1, 0)), await file('data_batch_2.bin', record(2, 0))],
    test: [await file('test_batch.bin', record(3, 0))],
  };
  const splits = await readCifar10(files, folder);
  expect([[...splits.train.labels], [...splits.test.labels]]).toEqual([[1, 2], [3]]);
  await expect(cifar10({}, { dataDir: folder })).rejects.toThrow(
    /data_batch_1\.bin: the contents are not the known ones: SHA-256/,
  );
  await expect(cifar10({}, { dataDir: '/nowhere' })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: CIFAR-10: cannot find data_batch_1.bin; searched /nowhere/cifar-10-batches-bin, /nowhere — fetch https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz and unpack it in the data folder (it makes cifar-10-batches-bin)]`,
  );
});
