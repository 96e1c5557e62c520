// Batch renormalization: both of its limits, its gradient with r and d as constants, its schedule and its state.
import { grad, readAll, tensor, type Tensor } from '@athanor/core';
import { describe, expect, it, test } from 'vitest';
import { randomTensor, relativeError } from '../testing/numbers.ts';
import { BatchRenorm, type BatchRenormOptions } from './renorm.ts';
import { BatchNorm } from './batch.ts';

const dtype = 'float64';
const x = randomTensor([5, 3, 2, 2], 1, { shift: 0.5, scale: 2 });

function make(options: BatchRenormOptions = {}): BatchRenorm {
  const module = new BatchRenorm(3, { dtype, ...options });
  module.runningMean.assign(Float64Array.of(0.2, -0.1, 0.4));
  module.runningStd.assign(Float64Array.of(1.5, 1, 2));
  module.weight?.assign(Float64Array.of(1, -2, 0.5));
  module.bias?.assign(Float64Array.of(0.1, 0.2, 0.3));
  return module;
}

/** Values per channel of [N, C, H, W]. */
const tensorOf = (values: readonly number[]): Tensor => tensor(values, { shape: [values.length, 1, 1], dtype });

test('closed limits: batch normalization', async () => {
  const batch = new BatchNorm(3, { dtype });
  batch.weight?.assign(Float64Array.of(1, -2, 0.5));
  batch.bias?.assign(Float64Array.of(0.1, 0.2, 0.3));
  expect(await relativeError(make({ rMax: 1, dMax: 0 }).forward(x), batch.forward(x))).toBeLessThan(1e-14);
});

test('open limits: training computes what evaluation does', async () => {
  const open = { rMax: 1e9, dMax: 1e9 };
  expect(await relativeError(make(open).forward(x), make(open).eval().forward(x))).toBeLessThan(1e-13);
});

describe('gradient', () => {
  it('is the closed form with r and d constant: (r/σ_B)(g − mean g − x̂ mean g x̂)', async () => {
    const module = make({ rMax: 1.2, dMax: 0.1, eps: 0.1 });
    const cotangent = randomTensor(x.shape, 2);
    const [weight, bias] = [module.weight?.value ?? x, module.bias?.value ?? x];
    const [dx = [], dweight = [], dbias = []] = await readAll(grad(module.forward(x), [x, weight, bias], { cotangent }));
    const kept = { keepdim: true };
    const over = [0, 2, 3];
    const mean = x.mean(over, kept);
    const sigma = x.var(over, { ...kept, correction: 0 }).add(0.1).sqrt();
    const standard = x.sub(mean).div(sigma);
    const [running, std] = [tensorOf([0.2, -0.1, 0.4]), tensorOf([1.5, 1, 2])];
    const r = sigma.div(std).clamp(1 / 1.2, 1.2);
    const d = mean.sub(running).div(std).clamp(-0.1, 0.1);
    const g = cotangent.mul(tensorOf([1, -2, 0.5]));
    const expected = g.sub(g.mean(over, kept)).sub(standard.mul(g.mul(standard).mean(over, kept))).mul(r.div(sigma));
    expect(await relativeError(dx, expected)).toBeLessThan(1e-12);
    expect(await relativeError(dweight, cotangent.mul(standard.mul(r).add(d)).sum(over))).toBeLessThan(1e-12);
    expect(await relativeError(dbias, cotangent.sum(over))).toBeLessThan(1e-12);
  });
});

test('running statistics are the mean and the standard deviation, from before for r and d', async () => {
  const module = make({ momentum: 0.25, eps: 1e-12 });
  module.forward(x);
  const [mean, std] = [x.mean([0, 2, 3]), x.std([0, 2, 3], { correction: 0 })];
  expect(await relativeError(module.runningMean.value, mean.mul(0.25).add(tensorOf([0.15, -0.075, 0.3]).reshape(3)))).toBeLessThan(1e-12);
  expect(await relativeError(module.runningStd.value, std.mul(0.25).add(tensorOf([1.125, 0.75, 1.5]).reshape(3)))).toBeLessThan(1e-12);
});

test('limits open along straight lines after the warm-up', async () => {
  const module = make({ warmup: 2, rRamp: 4, dRamp: 2, rMax: 3, dMax: 5 });
  const closed = await make({ rMax: 1, dMax: 0 }).forward(x).data();
  const at = async (step: number) => {
    module.steps.assign(step);
    module.runningMean.assign(Float64Array.of(0.2, -0.1, 0.4));
    module.runningStd.assign(Float64Array.of(1.5, 1, 2));
    return await module.forward(x).data();
  };
  expect(await relativeError(await at(1), closed)).toBeLessThan(1e-14);
  expect(await relativeError(await at(2), closed)).toBeLessThan(1e-14);
  const halfway = await make({ rMax: 1.5, dMax: 2.5 }).forward(x).data();
  expect(await relativeError(await at(3), halfway)).toBeLessThan(1e-14);
  expect(await relativeError(await at(100), await make({ rMax: 3, dMax: 5 }).forward(x).data())).toBeLessThan(1e-14);
});
