// Sets from npz files: shapes and types, channels at the end, parts that are split off, and what people get wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../formats/npz.ts';
import type { StoredArray } from '../formats/storage.ts';
import { npzSplits } from './npz.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (...shape: number[]): StoredArray => ({
  dtype: 'uint8',
  shape,
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index % 251),
});
const labels = (count: number, classes = 2): StoredArray => ({
  dtype: 'int64',
  shape: [count],
  data: BigInt64Array.from({ length: count }, (_, index) => BigInt(index % classes)),
});

async function load(arrays: Record<string, StoredArray>, options: object = {}) {
  writeFileSync(join(folder, 'set.npz'), writeNpz(Object.entries(arrays)));
  return npzSplits({ file: 'set.npz', ...options }, { dataDir: folder });
}

describe('npzSplits', () => {
  it('reads both parts, keeps bytes, and adds an axis of channels to pictures', async () => {
    const { train, test, classes } = await load({ x_train: bytes(6, 2, 3), y_train: labels(6, 3), x_test: bytes(3, 2, 3), y_test: labels(3, 3) });
    expect([train.inputShape, train.length, test.length, classes]).toEqual([[1, 2, 3], 6, 3, ['0', '1', '2']]);
    expect(train.inputs).toEqual(Uint8Array.from({ length: 36 }, (_, index) => index));
    expect([...train.labels]).toEqual([0, 1, 2, 0, 1, 2]);
    expect(train.statistics?.mean[0]).toBeCloseTo(17.5 / 255, 6);
  });

  it('turns channels that come last', async () => {
    const { train } = await load({ x_train: bytes(4, 2, 2, 3), y_train: labels(4), x_test: bytes(2, 2, 2, 3), y_test: labels(2) }, { channels: 'last' });
    expect(train.inputShape).toEqual([3, 2, 2]);
    expect([...train.inputs.subarray(0, 12)]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });

  it('splits a test part off where there is none, and takes fewer samples', async () => {
    const values: StoredArray = { dtype: 'float64', shape: [20, 2], data: Float64Array.from({ length: 40 }, (_, index) => index / 4) };
    const { train, test } = await load({ features: values, kind: labels(20) }, { inputs: 'features', labels: 'kind', testFraction: 0.25, train: 10, classes: ['no', 'yes'] });
    expect([train.length, test.length, train.inputShape, train.classes]).toEqual([10, 5, [2], ['no', 'yes']]);
    expect(train.inputs).toBeInstanceOf(Float32Array);
  });

  it('tells what does not fit', async () => {
    const whole = { x_train: bytes(4, 2), y_train: labels(4) };
    const told = async (arrays: Record<string, StoredArray>, options: object = {}) => {
      const error = await load(arrays, options).catch((thrown: unknown) => thrown);
      return String(error).replaceAll(folder, '<folder>');
    };
    const answers = [
      await told({ images: bytes(4, 2), y_train: labels(4) }),
      await told({ ...whole, y_train: labels(3) }),
      await told({ ...whole, y_train: bytes(4, 2) }),
      await told({ ...whole, y_train: { dtype: 'float32', shape: [4], data: new Float32Array(4) } }),
      await told({ ...whole, x_train: bytes(4) }),
      await told({ ...whole, x_test: bytes(2, 3), y_test: labels(2) }),
      await told(whole, { classes: ['one'] }),
      await told(whole, { file: 'other.npz' }),
    ];
    expect(answers.join('\n')).toMatchInlineSnapshot(`
      "UserError: <folder>/set.npz: there is no array "x_train"; the arrays are images, y_train — name them with inputs, labels, testInputs and testLabels
      UserError: data set <folder>/set.npz has 3 labels but 8 input values; samples of shape [2] need 6
      UserError: <folder>/set.npz: y_train: labels of shape [4, 2] — they are one number a sample: [N]
      UserError: <folder>/set.npz: y_train holds float32, where whole numbers are needed
      UserError: <folder>/set.npz: x_train: inputs of shape [4] — they are [N, features], [N, H, W] or [N, C, H, W]
      UserError: data set <folder>/set.npz: training samples have shape [2], test samples [3]
      UserError: data set <folder>/set.npz: sample 1 has label 1, but there are 1 classes
      UserError: <folder>/other.npz: there is no such file — file is taken from the data folder if one is given, else from the working folder"
    `);
  });
});
