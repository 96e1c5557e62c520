// EvalNorm: the limits, the expectation that it stands for, and taking over a trained BatchNorm.
import { tensor, type Tensor } from '@athanor/core';
import { expect, test } from 'vitest';
import { normalNumbers, randomTensor, relativeError } from '../testing/numbers.ts';
import { BatchNorm } from '../batch/batch.ts';
import { EvalNorm, evalNorm } from './eval.ts';
import { InstanceNorm } from '../sample/sample.ts';

const dtype = 'float64';

function trained(samples: number): EvalNorm {
  const module = new EvalNorm(3, { samples, dtype, runningVariance: 'biased' }).eval();
  module.runningMean?.assign(Float64Array.of(1, -1, 0.5));
  module.runningVar?.assign(Float64Array.of(2, 0.5, 1));
  return module;
}

const x = randomTensor([4, 3, 3, 2], 1);

test('one sample: instance normalization', async () => {
  expect(await relativeError(trained(1).forward(x), new InstanceNorm(3, { dtype }).forward(x))).toBeLessThan(1e-13);
});

test('endless samples: batch normalization in evaluation', async () => {
  const batch = new BatchNorm(3, { dtype }).eval();
  batch.runningMean?.assign(Float64Array.of(1, -1, 0.5));
  batch.runningVar?.assign(Float64Array.of(2, 0.5, 1));
  expect(await relativeError(trained(1e12).forward(x), batch.forward(x))).toBeLessThan(1e-10);
});

test('the mixed statistics are those of batches that the sample is in', async () => {
  const [draws, positions] = [40_000, 3];
  // Samples have means of their own: the population's variance is not the batches' average variance.
  const means = normalNumbers(draws + 1, 1);
  const noise = normalNumbers((draws + 1) * positions, 2);
  const pool = Array.from({ length: draws + 1 }, (_, i) => Array.from({ length: positions }, (_, p) => (means[i] ?? 0) + 0.5 * (noise[i * positions + p] ?? 0)));
  const moments = (values: readonly number[]): [number, number] => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
  };
  const average = (parts: readonly [number, number][], which: 0 | 1): number => parts.reduce((sum, part) => sum + part[which], 0) / parts.length;
  const [sample = [], ...others] = pool;
  const withSample = others.map((other) => moments([...sample, ...other]));
  const anyPair = others.slice(1).map((other, i) => moments([...(others[i] ?? []), ...other]));
  const module = new EvalNorm(1, { samples: 2, dtype, affine: false, eps: 1e-12, runningVariance: 'biased' }).eval();
  module.runningMean?.assign(Float64Array.of(average(anyPair, 0)));
  module.runningVar?.assign(Float64Array.of(average(anyPair, 1)));
  const y = await module.forward(tensor(Float64Array.from(sample), { shape: [1, positions, 1] })).data();
  const [mean, sigma] = [average(withSample, 0), Math.sqrt(average(withSample, 1))];
  expect(await relativeError(y, sample.map((value) => (value - mean) / sigma))).toBeLessThan(0.01);
});

test('takes over parameters and statistics; [N, C] has no positions', async () => {
  const batch = new BatchNorm(3, { dtype });
  batch.weight?.assign(Float64Array.of(1, 2, 3));
  await batch.forward(x).data();
  const module = evalNorm(batch.eval(), 1e12);
  expect(module.training).toBe(false);
  expect(await relativeError(module.forward(x), batch.forward(x))).toBeLessThan(1e-10);
  const features: Tensor = randomTensor([4, 3], 2);
  const mixed = evalNorm(batch, 2);
  expect(await mixed.forward(features).abs().max().item()).toBeLessThan(Infinity);
});
