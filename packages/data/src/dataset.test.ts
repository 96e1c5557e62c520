// Data sets: consistency checks, stratified choices, splits and statistics.
import { expect, test } from 'vitest';
import {
  createDataset,
  createSplits,
  measureStatistics,
  select,
  splitDataset,
  stratified,
  stratifiedIndices,
} from './dataset.ts';

const counts = [50, 30, 20];
const labels = Int32Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label)));
const dataset = createDataset({
  name: 'toy',
  inputShape: [2],
  inputs: Float32Array.from({ length: 200 }, (_, index) => index),
  labels,
  classes: ['a', 'b', 'c'],
});

test('parts that disagree are errors', () => {
  const { name, inputShape, inputs, classes } = dataset;
  expect(() =>
    createDataset({ name, inputShape, inputs: inputs.subarray(1), labels, classes }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[UserError: data set toy has 100 labels but 199 input values; samples of shape [2] need 200]`,
  );
  expect(() =>
    createDataset({ name, inputShape, inputs, labels, classes: ['a', 'b'] }),
  ).toThrowErrorMatchingInlineSnapshot(`[UserError: data set toy: sample 80 has label 2, but there are 2 classes]`);
  expect(() => createSplits('toy', dataset, { ...dataset, inputShape: [1, 2] })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: data set toy: training samples have shape [2], test samples [1, 2]]`,
  );
});

test('a selection keeps samples and labels together', () => {
  const chosen = select(dataset, [99, 0]);
  expect(Array.from(chosen.inputs)).toEqual([198, 199, 0, 1]);
  expect(Array.from(chosen.labels)).toEqual([2, 0]);
  expect(() => select(dataset, [100])).toThrow('there is no sample 100');
});

test('stratified choices keep the frequencies, depend on the seed alone, and nest', () => {
  const ten = stratified(dataset, 10, 7);
  expect(counts.map((_, label) => ten.labels.filter((value) => value === label).length)).toEqual([5, 3, 2]);
  expect(stratifiedIndices(dataset, 10, 7)).toEqual(stratifiedIndices(dataset, 10, 7));
  expect(stratifiedIndices(dataset, 10, 7)).not.toEqual(stratifiedIndices(dataset, 10, 8));
  const larger = new Set(stratifiedIndices(dataset, 20, 7));
  expect(stratifiedIndices(dataset, 10, 7).every((index) => larger.has(index))).toBe(true);
  expect(() => stratified(dataset, 101, 7)).toThrow('cannot take 101 samples of toy, which has 100');
});

test('a split is disjoint, complete and stratified', () => {
  const { train, test: rest } = splitDataset(dataset, { testFraction: 0.2, seed: 1 });
  expect([train.length, rest.length]).toEqual([80, 20]);
  const firsts = [...train.inputs, ...rest.inputs].sort((a, b) => a - b);
  expect(firsts).toEqual(Array.from(dataset.inputs));
  expect(counts.map((_, label) => rest.labels.filter((value) => value === label).length)).toEqual([10, 6, 4]);
});

test('statistics are per channel, and bytes count as 0 … 1', () => {
  const inputs = Uint8Array.of(0, 255, 51, 51, 255, 0, 51, 51);
  expect(measureStatistics({ inputs, inputShape: [2, 1, 2] })).toEqual({
    mean: [0.5, expect.closeTo(0.2, 12)],
    std: [0.5, 0],
  });
});
