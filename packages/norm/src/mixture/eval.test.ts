// EvalNorm: the limits, the expectation that it stands for, and taking over a trained BatchNorm.
import { tensor, type Tensor } from '@athanor/core';
import { Sequential, snapshot } from '@athanor/core/nn';
import { describe, expect, it, test } from 'vitest';
import { normalNumbers, randomTensor, relativeError } from '../testing/numbers.ts';
import { BatchNorm } from '../batch/batch.ts';
import { EvalNorm, evalNorm, fitEvalNorm, useEvalNorm } from './eval.ts';
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

describe('learned shares', () => {
  const pairs = Array.from({ length: 40 }, (_, i) => randomTensor([2, 3, 2, 2], 100 + i));

  it('start at 1 / samples, come closer to what training computes, and leave the model as it was', async () => {
    const model = new Sequential(new BatchNorm(3, { momentum: 0.05 }));
    for (let i = 0; i < 60; i++) await model.forward(randomTensor([2, 3, 2, 2], 200 + i, { dtype: 'float32' })).data();
    expect(useEvalNorm(model, 2, { share: 'learned' })).toEqual(['0']);
    const norm = model.at(0) as EvalNorm;
    expect(await norm.meanLogit?.value.sigmoid().item()).toBeCloseTo(0.5, 6);
    const before = await snapshot(model.stateDict());
    norm.meanLogit?.assign(3);
    norm.varianceLogit?.assign(-3);
    const history = await fitEvalNorm(model, [...pairs, ...pairs.slice(0, 5)].map((pair) => pair.to('float32')), { lr: 0.2 });
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(history.slice(-5))).toBeLessThan(0.8 * mean(history.slice(0, 5)));
    const share = (await norm.meanLogit?.value.sigmoid().item()) ?? NaN;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.7);
    const after = await snapshot(model.stateDict());
    for (const name of ['0.weight', '0.bias', '0.runningMean', '0.runningVar']) expect(after[name]).toEqual(before[name]);
    expect(model.training).toBe(true);
  });

  it('are needed', async () => {
    await expect(fitEvalNorm(new Sequential(new BatchNorm(3)), pairs)).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: fitEvalNorm: the model has no EvalNorm with learned shares — useEvalNorm(model, samples, { share: 'learned' })]`);
  });
});

test('the squared share is 1 / samples²', async () => {
  const squared = new EvalNorm(3, { samples: 4, share: 'squared', dtype, runningVariance: 'biased' }).eval();
  const plain = trained(16);
  squared.loadStateDict(plain.stateDict());
  expect(await relativeError(squared.forward(x), plain.forward(x))).toBeLessThan(1e-13);
});
