// The loader: order, exact resumption, normalisation, transforms keyed by sample, mixup.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDataset, measureStatistics } from '../dataset.ts';
import { affine, crop, cutout, flip } from '../transforms/index.ts';
import { Loader, batches } from './loader.ts';
import type { LoaderOptions } from './loader.ts';

const length = 23;
const inputs = Uint8Array.from({ length: length * 32 }, (_, index) => (index * 37) % 256);
const dataset = createDataset({
  name: 'toy',
  inputShape: [2, 4, 4],
  inputs,
  labels: Int32Array.from({ length }, (_, index) => index),
  classes: Array.from({ length }, (_, index) => `class ${index}`),
  statistics: measureStatistics({ inputs, inputShape: [2, 4, 4] }),
});

const everything: LoaderOptions = {
  batch: 5,
  seed: 11,
  transforms: [crop({ padding: 1 }), flip(), affine({ rotate: 10, scale: [0.9, 1.1] }), cutout({ size: 2 })],
  mixup: { alpha: 0.4 },
};

test('an epoch shows every sample once, the last batch may be short', () => {
  const loader = new Loader(dataset, { batch: 5, seed: 1 });
  const epochs = [[...loader.rest()], [...loader.rest()]];
  for (const [epoch, list] of epochs.entries()) {
    expect(list.map((batch) => [batch.epoch, batch.index, batch.size])).toEqual(
      [5, 5, 5, 5, 3].map((size, index) => [epoch, index, size]),
    );
    const seen = list.flatMap((batch) => [...batch.labels]).sort((a, b) => a - b);
    expect(seen).toEqual([...dataset.labels]);
  }
  const [first, second] = epochs.map((list) => list.flatMap((batch) => [...batch.labels]));
  expect(first).not.toEqual(second);
  expect(loader.batchesPerEpoch).toBe(5);
});

test('dropLast leaves short batches out', () => {
  const loader = new Loader(dataset, { batch: 5, dropLast: true });
  expect([...loader.rest()].map((batch) => batch.size)).toEqual([5, 5, 5, 5]);
  expect(loader.state()).toMatchObject({ epoch: 1, position: 0 });
});

test('restoring any state goes on with the same bits', () => {
  const unbroken = new Loader(dataset, everything);
  const states = [unbroken.state()];
  const expected = Array.from({ length: 12 }, () => {
    const batch = unbroken.next();
    states.push(unbroken.state());
    return batch;
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 11 }), (start) => {
      const resumed = new Loader(dataset, everything);
      resumed.restore(JSON.parse(JSON.stringify(states[start])));
      for (const batch of expected.slice(start)) expect(resumed.next()).toEqual(batch);
    }),
    { numRuns: 12 },
  );
});

test('a sample looks the same in an epoch whatever the batch size, and different in another', () => {
  const samples = (batch: number) => {
    const loader = new Loader(dataset, { ...everything, batch });
    return [...loader.rest()].flatMap((made) => [...made.inputs]);
  };
  expect(samples(1)).toEqual(samples(7));
  const loader = new Loader(dataset, { ...everything, batch: length, shuffle: false });
  expect(loader.next().inputs).not.toEqual(loader.next().inputs);
});

test('a saved state of other data settings is refused', () => {
  const state = new Loader(dataset, { batch: 5, seed: 1 }).state();
  expect(() => new Loader(dataset, { batch: 5, seed: 2 }).restore(state)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: the saved loader state has seed 1, this loader has 2 — resume with the data settings that the run was started with]`,
  );
  const loader = new Loader(dataset, { batch: 5, seed: 1 });
  expect(() => loader.restore({ ...state, position: 23 })).toThrow(
    'stands at epoch 0, sample 23, where there is no batch of 5',
  );
  expect(() => loader.restore({ ...state, epoch: 0.5 })).toThrow('stands at epoch 0.5');
});

test('bytes become 0 … 1, then normalised by channel; both paths give the same bits', () => {
  const [plain] = [...batches(dataset, { batch: length, normalize: false })];
  expect(plain?.inputs).toEqual(Float32Array.from(inputs, (byte) => byte / 255));
  const [table] = [...batches(dataset, { batch: length })];
  const slow = new Loader(dataset, { batch: length, shuffle: false, transforms: [flip({ probability: 0 })] }).next();
  expect(slow.inputs).toEqual(table?.inputs);
  const { mean, std } = measureStatistics({ inputs: slow.inputs, inputShape: [2, 4, 4] });
  for (const value of mean) expect(value).toBeCloseTo(0, 6);
  for (const value of std) expect(value).toBeCloseTo(1, 6);
});

test('mixup blends a sample with its partner by the weight it reports', () => {
  const plain = new Loader(dataset, { batch: length, shuffle: false }).next();
  const batch = new Loader(dataset, { batch: length, shuffle: false, mixup: { alpha: 1 } }).next();
  const { labels, weights } = batch.mixed ?? { labels: new Int32Array(), weights: new Float32Array() };
  expect(weights).toHaveLength(length);
  for (let row = 0; row < length; row++) {
    const weight = weights[row] ?? 0;
    const other = labels[row] ?? 0;
    const expected = (plain.inputs[row * 32] ?? 0) * weight + (plain.inputs[other * 32] ?? 0) * (1 - weight);
    expect(batch.inputs[row * 32]).toBeCloseTo(expected, 5);
  }
  expect(new Set(weights).size).toBeGreaterThan(20);
});

test('options that cannot work are told', () => {
  expect(() => new Loader(dataset, { batch: 0 })).toThrow('batch must be a whole number of at least 1, got 0');
  expect(() => new Loader(dataset, { batch: 24, dropLast: true })).toThrow(
    'batches of 24 with dropLast leave nothing of 23 samples',
  );
  expect(() => new Loader(dataset, { batch: 2, normalize: { mean: [0], std: [1] } })).toThrow(
    '1 means and 1 standard deviations for 2 channels',
  );
  expect(() => new Loader(dataset, { batch: 2, normalize: { mean: [0, 0], std: [1, 0] } })).toThrow(
    'the standard deviation of channel 1 is 0',
  );
});

test('classesPerBatch takes each batch from so many classes, and goes on exactly', () => {
  const three = createDataset({
    name: 'three',
    inputShape: [1],
    inputs: Uint8Array.from({ length: 30 }, (_, index) => index),
    labels: Int32Array.from({ length: 30 }, (_, index) => (index < 20 ? 0 : index < 27 ? 1 : 2)),
    classes: ['a', 'b', 'c'],
  });
  const options = { batch: 6, seed: 3, classesPerBatch: 2 };
  const loader = new Loader(three, options);
  const lists = [[...loader.rest()], [...loader.rest()]].flat().map(({ labels }) => [...labels]);
  for (const list of lists) expect(new Set(list).size).toBe(2);
  expect(new Set(lists.flat())).toEqual(new Set([0, 1, 2]));
  const again = new Loader(three, options);
  for (let i = 0; i < 7; i++) again.next();
  const state = again.state();
  const expected = again.next();
  const resumed = new Loader(three, options);
  resumed.restore(state);
  expect(resumed.next()).toEqual(expected);
  expect(() => new Loader(three, { ...options, classesPerBatch: 0 })).toThrow('batches of 0 classes');
});
