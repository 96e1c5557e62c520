// Landscape, covariate shift and layer statistics against numbers worked out by hand, and that models stay as they were.
import { fromBuffer, grad, random, readAll, tensor, type Tensor } from '@athanor/core';
import { Linear, Module, Parameter, Sequential, functional, snapshot } from '@athanor/core/nn';
import { beforeEach, describe, expect, it } from 'vitest';
import { BatchNorm } from '../batch/batch.ts';
import { channelMoments, layerProbe, outputsAt } from './activations.ts';
import { driftOf, gradientShiftProbe, momentShift, parameterLayers, percentiles } from './covariate-shift.ts';
import { landscapeProbe } from './landscape.ts';

beforeEach(() => random.manualSeed(3));

/** L = ½ Σ h w², whose gradient is h w: everything along −g has a closed form. */
class Bowl extends Module {
  readonly w = new Parameter({ shape: [2], initial: () => Float32Array.of(1, 2) });

  override forward(h: Tensor): Tensor {
    return this.w.value.square().mul(h).sum().mul(0.5);
  }
}

describe('landscapeProbe', () => {
  it('of a bowl', async () => {
    const bowl = new Bowl();
    const probe = landscapeProbe(bowl, (h) => bowl.forward(h), { multiples: [0.5, 1, 2] });
    const h = tensor([4, 1]);
    // g = (4, 2); at e: w = (1 − 4e, 2 − 2e), L = 2 (1 − 4e)² + ½ (2 − 2e)², ∇L − g = (−16e, −2e).
    const { losses, gradientChanges, band, predictiveness, smoothness, scaledSmoothness, lipschitz, gradientNorm, loss } = await probe(h, tensor([0]), 0.1);
    const expected = [0.05, 0.1, 0.2].map((e) => 2 * (1 - 4 * e) ** 2 + 0.5 * (2 - 2 * e) ** 2);
    losses.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5));
    gradientChanges.forEach((value, i) => expect(value).toBeCloseTo(Math.hypot(16, 2) * ([0.05, 0.1, 0.2][i] ?? NaN), 5));
    expect(loss).toBeCloseTo(4, 6);
    expect(band).toBeCloseTo((expected[0] ?? 0) - (expected[2] ?? 0), 5);
    expect(gradientNorm).toBeCloseTo(Math.hypot(4, 2), 5);
    expect(predictiveness).toBeCloseTo((0.2 * Math.hypot(16, 2)) / Math.hypot(4, 2), 5);
    expect(smoothness).toBeCloseTo(Math.hypot(16, 2) / Math.hypot(4, 2), 4);
    expect(scaledSmoothness).toBeCloseTo((5 * Math.hypot(16, 2)) / Math.hypot(4, 2), 3);
    expect(lipschitz).toBeCloseTo(Math.hypot(4 - 16 * 0.05, 2 - 2 * 0.05), 5);
  });
});

const inputs = fromBuffer(Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)), [6, 2]);
const labels = fromBuffer(Int32Array.of(0, 1, 2, 0, 1, 2), [6]);

function network(): Sequential {
  return new Sequential(new Linear(2, 4, { bias: false }), new BatchNorm(4), new Linear(4, 3));
}

describe('gradientShiftProbe', () => {
  it('compares the gradients before and after the layers below have stepped', async () => {
    const model = network();
    const loss = (x: Tensor, y: Tensor): Tensor => functional.crossEntropy(model.forward(x), y);
    const before = await snapshot(model.stateDict());
    const [shift] = await gradientShiftProbe(model, loss)(inputs, labels, 0.5);
    expect(await snapshot(model.stateDict())).toEqual(before);

    const [first, scale, bias, second] = model.parameters();
    if (first === undefined || scale === undefined || bias === undefined || second === undefined) throw new Error('four parameters');
    const own = async (): Promise<ArrayLike<number>[]> => await readAll(grad(loss(inputs, labels), [first, scale, bias, second]));
    const [one = [], two = [], three = [], old = []] = await own();
    for (const [parameter, gradient] of [[first, one], [scale, two], [bias, three]] as const) {
      const values = await parameter.data();
      parameter.assign(Float32Array.from(values, (value, i) => value - 0.5 * (gradient[i] ?? 0)));
    }
    const moved = (await own())[3] ?? [];
    const distance = Math.hypot(...Array.from(old, (value, i) => value - (moved[i] ?? NaN)));
    expect(shift?.difference).toBeCloseTo(distance, 5);
    expect(shift?.relative).toBeCloseTo(distance / Math.hypot(...Array.from(old)), 4);
    const product = Array.from(old, (value, i) => value * (moved[i] ?? NaN)).reduce((sum, value) => sum + value, 0);
    expect(shift?.cosine).toBeCloseTo(product / (Math.hypot(...Array.from(old)) * Math.hypot(...Array.from(moved))), 5);
  });

  it('is nothing without a step', async () => {
    const model = network();
    const [shift] = await gradientShiftProbe(model, (x, y) => functional.crossEntropy(model.forward(x), y))(inputs, labels, 0);
    expect(shift?.difference).toBe(0);
    expect(shift?.cosine).toBeCloseTo(1, 6);
  });
});

it('parameters belong to the weight before them', () => {
  expect(parameterLayers(network()).map(({ name, parameters }) => [name, parameters.length])).toEqual([['0.weight', 3], ['2.weight', 2]]);
});

it('percentiles interpolate', () => {
  expect(percentiles([4, 1, 3, 2], [0, 0.5, 1])).toEqual([1, 2.5, 4]);
  expect(percentiles([1, 2, 3, 4, 5], [0.15])[0]).toBeCloseTo(1.6, 12);
});

it('drift: how the median and the spread move', () => {
  const { median, spread, variation } = driftOf([[-1, 0, 1], [0, 2, 4], [-2, 1, 2]]);
  expect(median).toBeCloseTo(Math.sqrt(2 / 3), 12);
  expect(spread).toBeCloseTo(Math.sqrt((4 + 0 + 0) * 2 / 9), 12);
  expect(variation).toBe(3);
});

it('momentShift of Gaussians', () => {
  const { relative, wasserstein, divergence } = momentShift({ mean: [0, 1], std: [1, 2] }, { mean: [1, 1], std: [2, 2] });
  expect(relative).toBeCloseTo((1 + Math.log(2)) / 2, 12);
  expect(wasserstein).toBeCloseTo((1 + 1) / 2, 12);
  expect(divergence).toBeCloseTo((0.5 * ((1 + 1) / 4 + (4 + 1) / 1) - 1) / 2, 12);
});

describe('what passes through', () => {
  it('outputs and their moments, with buffers as they were', async () => {
    const model = network();
    const before = await snapshot(model.stateDict());
    const [linear, normed] = outputsAt(model, ['0', '1'], inputs);
    if (linear === undefined || normed === undefined) throw new Error('two outputs');
    const [moments] = await channelMoments([normed]);
    Array.from(moments?.mean ?? []).forEach((value) => expect(value).toBeCloseTo(0, 5));
    Array.from(moments?.std ?? []).forEach((value) => expect(value).toBeCloseTo(1, 2));
    expect(linear.shape).toEqual([6, 4]);
    expect(await snapshot(model.stateDict())).toEqual(before);
    expect(() => outputsAt(model, ['9'], inputs)).toThrow('there is no module "9"');
  });

  it('effective learning rates', async () => {
    const model = network();
    const [first] = await layerProbe(model, (x, y) => functional.crossEntropy(model.forward(x), y))(inputs, labels, 0.5);
    const [parameter] = model.parameters();
    const weight = Math.hypot(...Array.from((await parameter?.data()) ?? []));
    expect(first?.weightNorm).toBeCloseTo(weight, 5);
    expect(first?.effectiveRate).toBeCloseTo(0.5 / weight ** 2, 5);
    expect(first?.turn).toBeCloseTo((0.5 * (first?.gradientNorm ?? NaN)) / weight, 6);
  });
});
