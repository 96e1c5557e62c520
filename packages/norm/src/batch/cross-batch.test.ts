// Statistics over several batches, replicas and windows: limits, exact merging, compensation, and gradients.
import { cat, flush, grad, random, readAll, tensor, type Tensor } from '@athanor/core';
import { Conv2d, Linear, Parameter, init } from '@athanor/core/nn';
import { beforeEach, describe, expect, it } from 'vitest';
import { derivativeError, moduleDerivativeError, randomTensor, relativeError } from '../testing/numbers.ts';
import { BatchNorm } from './batch.ts';
import { CrossIterationBatchNorm, CrossMiniBatchNorm } from './cross-batch.ts';
import { DivisiveNorm } from '../local/divisive.ts';
import { LayerNorm } from '../sample/last-axes.ts';
import { ChannelLayerNorm } from '../sample/sample.ts';
import { SyncBatchNorm, mergeMoments } from './synchronized.ts';

const dtype = 'float64';
const kept = { keepdim: true };

describe('synchronized', () => {
  const whole = randomTensor([16, 3, 2, 2], 1, { shift: 1, scale: 2 });
  const sizes = [3, 8, 5];
  const parts = (x: Tensor): Tensor[] => x.split(sizes);

  it('merges moments exactly', async () => {
    const merged = mergeMoments(
      [...parts(whole), undefined].map((part) => ({
        count: part?.size ?? 0,
        mean: part?.mean() ?? tensor(NaN),
        variance: part?.var(undefined, { correction: 0 }) ?? tensor(NaN),
      })),
    );
    expect(merged.count).toBe(whole.size);
    expect(await relativeError(merged.mean, whole.mean())).toBeLessThan(1e-14);
    expect(await relativeError(merged.variance, whole.var(undefined, { correction: 0 }))).toBeLessThan(1e-14);
  });

  it('is batch normalization of the whole batch, forward, backward and running, for parts of any size', async () => {
    const [sync, batch] = [new SyncBatchNorm(3, { dtype }), new BatchNorm(3, { dtype })];
    const [weight, shift] = [randomTensor([3], 2), randomTensor([3], 3)];
    for (const module of [sync, batch]) {
      module.weight?.assign(weight);
      module.bias?.assign(shift);
    }
    flush();
    const cotangent = randomTensor(whole.shape, 4);
    const loss = sync.forwardAll(parts(whole)).map((y, i) => y.mul(parts(cotangent)[i] ?? y).sum()).reduce((sum, part) => sum.add(part));
    const expectedLoss = batch.forward(whole).mul(cotangent).sum();
    const values = (module: BatchNorm, output: Tensor): Promise<ArrayLike<number>[]> =>
      readAll([output, ...grad(output, [whole, ...module.parameters()]), module.runningMean?.value ?? whole, module.runningVar?.value ?? whole]);
    const [actual, expected] = [await values(sync, loss), await values(batch, expectedLoss)];
    for (const [i, value] of actual.entries()) expect(await relativeError(value, expected[i] ?? [])).toBeLessThan(1e-11);
  });

  it('evaluates each part alone', async () => {
    const sync = new SyncBatchNorm(3, { dtype }).eval();
    const [y = whole] = sync.forwardAll([whole.narrow(0, 0, 2)]);
    expect(await relativeError(y, sync.forward(whole).narrow(0, 0, 2))).toBe(0);
  });
});

describe('CmBN', () => {
  const batches = [1, 2, 3].map((seed) => randomTensor([4, 3, 2, 2], seed, { shift: seed }));
  const [first = tensor(0), second = tensor(0), third = tensor(0)] = batches;

  it('the first mini-batch is batch normalization, the i-th uses the statistics of all up to it', async () => {
    const module = new CrossMiniBatchNorm(3, { dtype, eps: 1e-12 });
    expect(await relativeError(module.forward(first), new BatchNorm(3, { dtype, eps: 1e-12 }).forward(first))).toBeLessThan(1e-13);
    const union = cat([first, second]);
    const expected = second.sub(union.mean([0, 2, 3], kept)).div(union.std([0, 2, 3], { ...kept, correction: 0 }));
    expect(await relativeError(module.forward(second), expected)).toBeLessThan(1e-11);
    module.startBatch();
    expect(await relativeError(module.forward(third), new BatchNorm(3, { dtype, eps: 1e-12 }).forward(third))).toBeLessThan(1e-11);
  });

  it('begins anew by itself where it is told how many mini-batches there are', async () => {
    const module = new CrossMiniBatchNorm(3, { dtype, miniBatches: 2 });
    for (const batch of [first, second]) await module.forward(batch).data();
    expect(await relativeError(module.forward(third), new BatchNorm(3, { dtype }).forward(third))).toBeLessThan(1e-12);
  });

  it('darknet’s backward takes the mixed statistics for the mini-batch’s own', async () => {
    const [exact, darknet] = [new CrossMiniBatchNorm(3, { dtype, eps: 0.1 }), new CrossMiniBatchNorm(3, { dtype, eps: 0.1, backward: 'darknet' })];
    for (const module of [exact, darknet]) await module.forward(first).data();
    const cotangent = randomTensor(second.shape, 5);
    const [y, z] = [exact.forward(second), darknet.forward(second)];
    const [values, same, dx, theirs] = await readAll([y, z, ...grad(y, [second], { cotangent }), ...grad(z, [second], { cotangent })]);
    expect(await relativeError(same ?? [], values ?? [])).toBe(0);
    // dx = s (g − a mean g − a x̂ mean g x̂) with a = 1/2 and 1: theirs is as far from exact as exact is from s g.
    const union = cat([first, second]);
    const sigma = union.var([0, 2, 3], { ...kept, correction: 0 }).add(0.1).sqrt();
    const free = cotangent.div(sigma);
    const expected = tensor(dx ?? [], { shape: second.shape, dtype }).mul(2).sub(free);
    expect(await relativeError(theirs ?? [], expected)).toBeLessThan(1e-11);
  });

  it('has the derivatives of finite differences, the past standing still', async () => {
    const module = new CrossMiniBatchNorm(3, { dtype, eps: 0.1 });
    await module.forward(first).data();
    expect(await moduleDerivativeError(module, second)).toBeLessThan(1e-7);
  });
});

describe('cross-iteration', () => {
  beforeEach(() => random.manualSeed(2));

  /** A layer in float64. */
  const linear = (): Linear => {
    const wide = (shape: number[]): Parameter => new Parameter({ shape, dtype, initial: init.normal()(shape, dtype) });
    return Object.assign(new Linear(5, 3), { weight: wide([3, 5]), bias: wide([3]) });
  };
  const [x, other] = [randomTensor([8, 5], 1, { shift: 0.5 }), randomTensor([8, 5], 2)];
  const through = (layer: Linear, input: Tensor): Tensor => layer.forward(input);

  it('a window of one is batch normalization', async () => {
    const module = new CrossIterationBatchNorm(linear(), { window: 1 });
    expect(await relativeError(module.forward(x), new BatchNorm(3, { dtype }).forward(through(module.layer as Linear, x)))).toBeLessThan(1e-13);
  });

  it('the same batch again, with weights that stand still, changes nothing', async () => {
    const module = new CrossIterationBatchNorm(linear(), { window: 3 });
    const once = await module.forward(x).data();
    for (let i = 0; i < 3; i++) expect(await relativeError(module.forward(x), once)).toBeLessThan(1e-12);
  });

  it('the window opens after the burn-in, and then mixes what it has seen', async () => {
    const module = new CrossIterationBatchNorm(linear(), { window: 2, burnIn: 2, eps: 1e-12 });
    const layer = module.layer as Linear;
    const alone = (): Tensor => new BatchNorm(3, { dtype, eps: 1e-12 }).forward(through(layer, x));
    await module.forward(other).data();
    expect(await relativeError(module.forward(x), alone())).toBeLessThan(1e-12);
    await module.forward(other).data();
    const [z, past] = [through(layer, x), through(layer, other)];
    const mean = z.mean(0).add(past.mean(0)).mul(0.5);
    const variance = z.square().mean(0).add(past.square().mean(0)).mul(0.5).sub(mean.square());
    expect(await relativeError(module.forward(x), z.sub(mean).div(variance.sqrt()))).toBeLessThan(1e-9);
  });

  it('moves past means exactly and past mean squares to first order with the weights', async () => {
    const errors = async (step: number): Promise<[mean: number, square: number]> => {
      random.manualSeed(2);
      const module = new CrossIterationBatchNorm(linear(), { window: 2 });
      const layer = module.layer as Linear;
      await module.forward(x).data();
      layer.weight.assign(layer.weight.value.add(randomTensor([3, 5], 7, { scale: step })));
      flush();
      const [past] = module.past;
      if (past === undefined) return [NaN, NaN];
      const estimated = module.estimate(past, layer.weight.value);
      const z = through(layer, x);
      return [await relativeError(estimated.mean, z.mean(0)), await relativeError(estimated.square, z.square().mean(0))];
    };
    const [large, small] = [await errors(0.02), await errors(0.01)];
    expect(large[0]).toBeLessThan(1e-12);
    expect(large[1] / small[1]).toBeGreaterThan(3.5);
    expect(large[1] / small[1]).toBeLessThan(4.5);
  });

  it('its gradient gives the current batch 1/k of the statistics', async () => {
    const module = new CrossIterationBatchNorm(linear(), { window: 3, eps: 0.1 });
    for (const input of [other, x]) await module.forward(input).data();
    const past = await Promise.all(module.past.map(async ({ mean, square }) => [await mean.data(), await square.data()]));
    const layer = module.layer as Linear;
    const plain = (input: Tensor): Tensor => {
      const z = through(layer, input);
      const total = (own: Tensor, which: 0 | 1): Tensor => past.reduce((sum, pair) => sum.add(tensor(Float64Array.from(pair[which] ?? []))), own).div(3);
      const [mean, square] = [total(z.mean(0), 0), total(z.square().mean(0), 1)];
      return z.sub(mean).div(square.sub(mean.square()).add(0.1).sqrt());
    };
    const cotangent = randomTensor([8, 3], 9);
    const y = module.forward(x);
    const [values = [], dx = []] = await readAll([y, ...grad(y, [x], { cotangent })]);
    expect(await relativeError(values, plain(x))).toBeLessThan(1e-11);
    expect(await relativeError(dx, grad(plain(x), [x], { cotangent })[0] ?? [])).toBeLessThan(1e-10);
  });

  it('works on convolutions, and keeps running statistics of the current batches', async () => {
    const module = new CrossIterationBatchNorm(new Conv2d(2, 3, 3));
    const images = randomTensor([4, 2, 5, 5], 3, { dtype: 'float32' });
    for (let i = 0; i < 3; i++) await module.forward(images).data();
    expect(module.eval().forward(images).shape).toEqual([4, 3, 3, 3]);
    expect(await module.runningMean?.value.abs().max().item()).toBeGreaterThan(0);
  });
});

describe('divisive', () => {
  it.each([
    ['units', [4, 7]],
    ['images', [2, 3, 5, 4]],
    ['sequences', [2, 6, 3]],
  ])('%s: derivatives of finite differences, with a learned σ', async (_, shape) => {
    const features = shape.length === 3 ? (shape[2] ?? 1) : (shape[1] ?? 1);
    const module = new DivisiveNorm(features, { window: 3, learnSigma: true, affine: true, dtype });
    expect(await moduleDerivativeError(module, randomTensor(shape, 1))).toBeLessThan(1e-7);
  });

  it('a window of one cell and all channels is layer normalization at each position, with ε = σ²', async () => {
    const input = randomTensor([2, 6, 3, 4], 2);
    const expected = new ChannelLayerNorm(6, { dtype, over: 'position', eps: 0.25 });
    expect(await relativeError(new DivisiveNorm(6, { window: 1, sigma: 0.5, dtype }).forward(input), expected.forward(input))).toBeLessThan(1e-13);
    expect(await relativeError(expected.forward(input).permute(0, 2, 3, 1), new LayerNorm(6, { dtype, eps: 0.25 }).forward(input.permute(0, 2, 3, 1)))).toBeLessThan(1e-13);
  });

  it('is linear for a large σ', async () => {
    const input = randomTensor([2, 6], 3);
    const module = new DivisiveNorm(6, { window: 3, sigma: 1e6, dtype });
    expect(await relativeError(module.forward(input).mul(1e6), module.centred(input))).toBeLessThan(1e-9);
  });

  it('has gradients of its sparsity term', async () => {
    const module = new DivisiveNorm(6, { window: 3, dtype });
    expect(await derivativeError((input) => module.centred(input).abs().mean(), [randomTensor([3, 6], 4)])).toBeLessThan(1e-7);
  });
});
