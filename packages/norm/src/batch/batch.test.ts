// Running statistics of batch normalization: the exact update, the conventions, when they are used and when they move.
import { compile, flush, tensor, type Tensor } from '@athanor/core';
import { expect, test } from 'vitest';
import { randomTensor, relativeError } from '../testing/numbers.ts';
import { BatchNorm } from './batch.ts';

const x = randomTensor([6, 2], 1, { shift: 3, dtype: 'float64' });
const mean = x.mean(0);
const statistics = async ({ runningMean, runningVar }: BatchNorm): Promise<number[][]> => [
  [...((await runningMean?.data()) ?? [])],
  [...((await runningVar?.data()) ?? [])],
];

test('move by momentum towards the batch; the variance is the unbiased one', async () => {
  const module = new BatchNorm(2, { momentum: 0.3, dtype: 'float64' });
  module.forward(x);
  const [runningMean, runningVar] = await statistics(module);
  expect(await relativeError(runningMean ?? [], mean.mul(0.3))).toBeLessThan(1e-15);
  expect(await relativeError(runningVar ?? [], x.var(0).mul(0.3).add(0.7))).toBeLessThan(1e-15);
});

test('the biased variance, as Flax and Keras have it', async () => {
  const module = new BatchNorm(2, { runningVariance: 'biased', momentum: 1, dtype: 'float64' });
  module.forward(x);
  const [runningMean, runningVar] = await statistics(module);
  expect(await relativeError(runningMean ?? [], mean)).toBeLessThan(1e-14);
  expect(await relativeError(runningVar ?? [], x.var(0, { correction: 0 }))).toBeLessThan(1e-14);
});

test('without momentum they are the means over all batches', async () => {
  const module = new BatchNorm(2, { momentum: null, dtype: 'float64' });
  const batches = [1, 2, 3].map((seed) => randomTensor([5, 2], seed));
  for (const batch of batches) {
    module.forward(batch);
    flush();
  }
  const [runningMean, runningVar] = await statistics(module);
  const average = (parts: Tensor[]): Tensor => parts.reduce((sum, part) => sum.add(part)).div(3);
  expect(await relativeError(runningMean ?? [], average(batches.map((batch) => batch.mean(0))))).toBeLessThan(1e-13);
  expect(await relativeError(runningVar ?? [], average(batches.map((batch) => batch.var(0))))).toBeLessThan(1e-13);
  expect(await module.numBatchesTracked?.item()).toBe(3);
});

test('evaluation uses them and leaves them alone', async () => {
  const module = new BatchNorm(2, { dtype: 'float64' });
  module.runningMean?.assign(Float64Array.of(1, 2));
  module.runningVar?.assign(Float64Array.of(4, 9));
  module.eval();
  const expected = x.sub(tensor([1, 2], { dtype: 'float64' })).div(tensor([4 + 1e-5, 9 + 1e-5], { dtype: 'float64' }).sqrt());
  expect(await relativeError(module.forward(x), expected)).toBeLessThan(1e-14);
  expect(await statistics(module)).toEqual([[1, 2], [4, 9]]);
});

test('without them evaluation normalises by its own batch', async () => {
  const module = new BatchNorm(2, { trackRunningStats: false, dtype: 'float64' });
  expect(Object.keys(module.stateDict())).toEqual(['weight', 'bias']);
  const trained = await module.forward(x).data();
  expect(await module.eval().forward(x).data()).toEqual(trained);
});

test('compiled: the same, and a switch to evaluation is noticed', async () => {
  const [plain, traced] = [new BatchNorm(2), new BatchNorm(2)];
  const step = compile((batch: Tensor) => traced.forward(batch), { checkEveryCall: true });
  for (let i = 0; i < 6; i++) {
    const batch = randomTensor([i === 3 ? 5 : 6, 2], i, { dtype: 'float32' });
    if (i === 4) for (const module of [plain, traced]) module.eval();
    const expected = await plain.forward(batch).data();
    expect(await step(batch).data()).toEqual(expected);
    expect(await statistics(traced)).toEqual(await statistics(plain));
  }
});
