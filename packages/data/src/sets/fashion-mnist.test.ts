// Fashion-MNIST: the embedded subset is what its README says; the full set is checked when it is there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { measureStatistics, stratified } from '../dataset.ts';
import type { Dataset } from '../dataset.ts';
import { writeIdx } from '../formats/idx.ts';
import { exists } from '../platform.ts';
import { fashionMnist } from './fashion-mnist.ts';

const folder = mkdtempSync(join(tmpdir(), 'fashion-mnist-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => void vi.stubEnv('ATHANOR_DATA', ''));

const perClass = (labels: Int32Array) => {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};

test('the embedded subset has 200 + 100 distinct images of each class', async () => {
  const { train, test: rest, shape, classes } = await fashionMnist();
  expect(shape).toEqual([1, 28, 28]);
  expect(classes).toHaveLength(10);
  expect(perClass(train.labels)).toEqual(new Array(10).fill(200));
  expect(perClass(rest.labels)).toEqual(new Array(10).fill(100));
  const images = new Set<string>();
  for (const part of [train, rest]) {
    for (let index = 0; index < part.length; index++) {
      images.add(String(part.inputs.subarray(index * 784, (index + 1) * 784)));
    }
  }
  expect(images.size).toBe(3000);
  const { mean, std } = measureStatistics(train);
  expect([mean[0], std[0]]).toEqual([expect.closeTo(0.286, 1), expect.closeTo(0.353, 1)]);
});

test('fewer samples are stratified by the seed; more are an error', async () => {
  const { train, test: rest } = await fashionMnist({ train: 50, test: 20, seed: 3 });
  expect(perClass(train.labels)).toEqual(new Array(10).fill(5));
  expect(perClass(rest.labels)).toEqual(new Array(10).fill(2));
  await expect(fashionMnist({ train: 12_000 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: train: 12000 samples were asked for, fashion-mnist (embedded subset) has 2000 — set subset: false for the full 60,000 + 10,000]`,
  );
});

test('a file with other contents is refused', async () => {
  mkdirSync(join(folder, 'fashion-mnist'));
  const file = join(folder, 'fashion-mnist', 'train-images-idx3-ubyte');
  writeFileSync(file, writeIdx({ shape: [1, 28, 28], data: new Uint8Array(784) }));
  await expect(fashionMnist({ subset: false }, { dataDir: folder })).rejects.toThrow(
    /train-images-idx3-ubyte: the contents are not the known ones: SHA-256 [0-9a-f]{64}, expected c59f468a/,
  );
});

test.skipIf(!exists('/usr/share/datasets/fashion-mnist'))(
  'the full set has its published statistics, and the embedded subset is cut from it',
  async () => {
    const { train, test: rest } = await fashionMnist({ subset: false });
    expect([train.length, rest.length]).toEqual([60_000, 10_000]);
    expect(perClass(train.labels)).toEqual(new Array(10).fill(6000));
    const { mean, std } = measureStatistics(train);
    expect([mean[0]?.toFixed(4), std[0]?.toFixed(4)]).toEqual(['0.2860', '0.3530']);
    const embedded = await fashionMnist();
    const same = (left: Dataset, right: Dataset) =>
      Buffer.compare(Uint8Array.from(left.inputs), Uint8Array.from(right.inputs)) === 0;
    expect(same(stratified(train, 2000, 2017), embedded.train)).toBe(true);
    expect(same(stratified(rest, 1000, 2017), embedded.test)).toBe(true);
  },
  20_000,
);
