// Changing the normalizations of a finished model: swaps, freezing, folding, recalibration, other frameworks' arrays.
import { flush, grad, random, readAll, tensor, type Tensor } from '@athanor/core';
import { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Dropout, Flatten, Identity, Linear, Module, ReLU, Sequential, snapshot, type TensorModule } from '@athanor/core/nn';
import { describe, expect, it, test } from 'vitest';
import { BatchNorm } from '../batch/batch.ts';
import { Registry } from '@athanor/core/plugin';
import plugin from '../plugin.ts';
import { CrossIterationBatchNorm } from '../batch/cross-batch.ts';
import { InPlaceBatchNorm } from '../batch/in-place.ts';
import { EvoNormB0 } from '../batch/relatives.ts';
import { SplitBatchNorm } from '../batch/split.ts';
import { EvalNorm } from '../mixture/eval.ts';
import { LayerNorm } from '../sample/last-axes.ts';
import { GlobalResponseNorm } from '../sample/relatives.ts';
import { ChannelsFirst } from '../framework/channels-first.ts';
import { ChannelLayerNorm, GroupNorm } from '../sample/sample.ts';
import { randomTensor, relativeError } from '../testing/numbers.ts';
import { batchNormFrom, batchNormOptions, epsilonOf } from './conventions.ts';
import { foldBatchNorm, unfoldBatchNorm } from './fold.ts';
import { insertBatchNorm } from './insert.ts';
import { recalibrate } from './recalibrate.ts';
import { FrozenBatchNorm, freezeBatchNorm, swapNorm } from './swap.ts';

const dtype = 'float32';
const x = randomTensor([6, 2, 6, 6], 1, { dtype, shift: 0.5 });

/** A convolutional net whose running statistics have moved. */
async function trained(): Promise<Sequential> {
  random.manualSeed(3);
  const model = new Sequential(
    new Conv2d(2, 4, 3, { bias: false }),
    new BatchNorm(4),
    new ReLU(),
    new Conv2d(4, 4, 3),
    new BatchNorm(4, { affine: false }),
    new Flatten(),
    new Linear(16, 5),
    new BatchNorm(5),
  );
  for (let i = 0; i < 3; i++) {
    model.forward(randomTensor([6, 2, 6, 6], 10 + i, { dtype, shift: 0.5, scale: 2 }));
    flush();
  }
  for (const [i, parameter] of model.parameters().entries()) parameter.assign(parameter.value.add(randomTensor(parameter.shape, 30 + i, { dtype, scale: 0.2 })));
  await model.eval().forward(x).data();
  return model;
}

describe('swapNorm', () => {
  it('replaces all, or one kind, or what is picked, with as many channels', async () => {
    const model = await trained();
    expect(swapNorm(model, BatchNorm, (features) => new GroupNorm(1, features))).toEqual(['1', '4', '7']);
    expect(swapNorm(model, BatchNorm, (features) => new BatchNorm(features))).toEqual([]);
    expect(swapNorm(model, (norm, path) => path !== '1' && norm.features === 4, (features) => new ChannelLayerNorm(features))).toEqual(['4']);
    const config = new Registry([plugin]).make('norm', { name: 'group', groups: 1 });
    const mixed = new Sequential(new LayerNorm(6), new GlobalResponseNorm(6), new SplitBatchNorm(6), new ReLU(), new LayerNorm([2, 3]));
    expect(swapNorm(mixed, 'all', config)).toEqual(['0', '1', '2']);
    expect(mixed.at(1)).toBeInstanceOf(GroupNorm);
    expect(swapNorm(model, 'all', () => new Identity())).toEqual(['1', '4', '7']);
    expect(model.at(1)?.training).toBe(false);
    expect(model.forward(x).shape).toEqual([6, 5]);
  });
});

describe('freezeBatchNorm', () => {
  it('computes the same in training as in evaluation, and learns and moves nothing', async () => {
    const model = await trained();
    const expected = await model.forward(x).data();
    expect(freezeBatchNorm(model)).toEqual(['1', '4', '7']);
    expect(model.at(1)).toBeInstanceOf(FrozenBatchNorm);
    model.train();
    expect(await relativeError(model.forward(x), expected)).toBeLessThan(1e-6);
    expect(await relativeError(model.forward(x), expected)).toBeLessThan(1e-6);
    expect(model.namedParameters().map(([name]) => name)).toEqual(['0.weight', '3.weight', '3.bias', '6.weight', '6.bias']);
    const [gradient = x] = grad(model.forward(x).square().sum(), [x]);
    expect(await gradient.abs().max().item()).toBeGreaterThan(0);
  });
});

describe('foldBatchNorm', () => {
  it('leaves what evaluation computes as it was', async () => {
    const model = await trained();
    const expected = await model.forward(x).data();
    expect(foldBatchNorm(model, [1, 2, 6, 6])).toEqual(['1', '4', '7']);
    expect(await relativeError(model.forward(x), expected)).toBeLessThan(1e-5);
    expect(model.namedParameters().map(([name]) => name)).toEqual(['0.weight', '0.bias', '3.weight', '3.bias', '6.weight', '6.bias']);
    expect(model.buffers()).toEqual([]);
  });

  it('keeps what does not directly follow a layer, or whose input others read', () => {
    class Branch extends Module {
      readonly conv = new Conv2d(2, 2, 3, { padding: 1 });
      readonly norm = new BatchNorm(2);
      readonly scaled = new BatchNorm(2);
      readonly last = new Conv2d(2, 2, 3, { padding: 1 });
      readonly folded = new BatchNorm(2);

      override forward(input: Tensor): Tensor {
        const maps = this.conv.forward(input);
        const sum = this.norm.forward(maps).add(maps);
        return this.folded.forward(this.last.forward(this.scaled.forward(sum.mul(2))));
      }
    }
    expect(foldBatchNorm(new Branch(), [1, 2, 4, 4])).toEqual(['folded']);
  });
});

it('neither folds nor freezes what evaluates in another way', async () => {
  const others = new Sequential(new Linear(3, 4), new InPlaceBatchNorm(4), new Linear(4, 4), new EvalNorm(4, { samples: 2 }), new Linear(4, 4), new EvoNormB0(4), new CrossIterationBatchNorm(new Linear(4, 4)));
  const input = randomTensor([5, 3], 1, { dtype });
  const expected = await others.eval().forward(input).data();
  expect(foldBatchNorm(others, [5, 3])).toEqual([]);
  expect(freezeBatchNorm(others)).toEqual([]);
  expect(await relativeError(others.forward(input), expected)).toBe(0);
});

describe('unfoldBatchNorm', () => {
  it('takes out what was folded in: parameters, statistics and results are those of before', async () => {
    const model = await trained();
    const before = await snapshot(model.stateDict());
    const expected = await model.forward(x).data();
    const paths = foldBatchNorm(model, [1, 2, 6, 6]);
    await model.forward(x).data();
    expect(unfoldBatchNorm(model)).toEqual(paths);
    expect(await relativeError(model.forward(x), expected)).toBeLessThan(1e-5);
    const after = await snapshot(model.stateDict());
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [name, { data }] of Object.entries(after)) expect(await relativeError(data, before[name]?.data ?? [])).toBeLessThan(1e-5);
  });

  it('keeps what was learned meanwhile, also where a scale is 0', async () => {
    const model = await trained();
    (model.at(1) as BatchNorm).weight?.assign(Float32Array.of(0, 1, -2, 0.5));
    await model.forward(x).data();
    foldBatchNorm(model, [1, 2, 6, 6]);
    for (const [i, parameter] of model.parameters().entries()) {
      const scaledToo = parameter.shape.length === 1 ? 0.3 : 0;
      parameter.assign(parameter.value.add(randomTensor(parameter.shape, 60 + i, { dtype, scale: scaledToo })));
    }
    const expected = await model.forward(x).data();
    unfoldBatchNorm(model);
    expect(await relativeError(model.forward(x), expected)).toBeLessThan(1e-5);
  });
});

test.each<[string, () => [layer: TensorModule, norm: TensorModule], readonly number[]]>([
  ['a convolution of sequences', () => [new Conv1d(4, 6, 3, { groups: 2 }), new ChannelsFirst(new BatchNorm(6))], [5, 4, 7]],
  ['a transposed convolution', () => [new ConvTranspose2d(4, 6, 3, { stride: 2, bias: false }), new BatchNorm(6)], [5, 4, 3, 3]],
  ['a transposed convolution in groups', () => [new ConvTranspose2d(4, 6, 2, { groups: 2 }), new BatchNorm(6)], [5, 4, 3, 3]],
  ['a transposed convolution of sequences', () => [new ConvTranspose1d(4, 6, 3), new ChannelsFirst(new BatchNorm(6))], [5, 4, 7]],
  ['a linear layer over steps', () => [new Linear(4, 6), new BatchNorm(6)], [5, 3, 4]],
  ['a convolution with reflected borders', () => [new Conv2d(4, 6, 3, { padding: 1, paddingMode: 'reflect' }), new BatchNorm(6)], [5, 4, 5, 5]],
])('folding into %s, and out again', async (_, make, shape) => {
  const [layer, norm] = make();
  const model = new Sequential(layer, norm);
  const input = randomTensor(shape, 1, { dtype, shift: 0.5 });
  for (let i = 0; i < 3; i++) await model.forward(randomTensor(shape, 2 + i, { dtype, scale: 2 })).data();
  for (const [i, parameter] of norm.parameters().entries()) parameter.assign(randomTensor(parameter.shape, 40 + i, { dtype, shift: 0.5 }));
  const expected = await model.eval().forward(input).data();
  expect(foldBatchNorm(model, shape)).toEqual(['1']);
  expect(model.buffers()).toEqual([]);
  expect(await relativeError(model.forward(input), expected)).toBeLessThan(1e-5);
  expect(unfoldBatchNorm(model)).toEqual(['1']);
  expect(model.at(1)).toBe(norm);
  expect(await relativeError(model.forward(input), expected)).toBeLessThan(1e-5);
});

it('does not fold where channels are another axis', () => {
  expect(foldBatchNorm(new Sequential(new Conv1d(4, 6, 1), new BatchNorm(6)), [5, 4, 6])).toEqual([]);
});

describe('insertBatchNorm', () => {
  it('changes nothing in evaluation, and normalises in training', async () => {
    const model = new Sequential(new Conv2d(2, 4, 3), new ReLU(), new Flatten(), new Linear(64, 5));
    const expected = await model.forward(x).data();
    expect(await insertBatchNorm(model, [x, randomTensor([6, 2, 6, 6], 2, { dtype })])).toEqual(['0', '3']);
    expect(model.training).toBe(true);
    expect(await relativeError(model.eval().forward(x), expected)).toBeLessThan(1e-5);
    expect(await relativeError(model.train().forward(x), expected)).toBeGreaterThan(0.01);
    expect(Object.keys(model.stateDict()).slice(0, 6)).toEqual(['0.0.weight', '0.0.bias', '0.1.weight', '0.1.bias', '0.1.runningMean', '0.1.runningVar']);
    const paths = Object.keys(model.stateDict());
    await expect(insertBatchNorm(model, [])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: insertBatchNorm: no batches to measure — give at least one]`);
    expect(Object.keys(model.stateDict())).toEqual(paths);
  });
});

describe('recalibrate', () => {
  it('takes the mean of all batches alike, with everything else in evaluation, and restores modes', async () => {
    const norm = new BatchNorm(2, { momentum: 0.3 });
    const model = new Sequential(new Dropout(0.9), norm).train();
    norm.eval();
    const batches = [1, 2, 3].map((seed) => randomTensor([4, 2], seed, { dtype }));
    expect(await recalibrate(model, batches)).toBe(3);
    const mean = batches.reduce((sum, batch) => sum.add(batch.mean(0)), batches[0]?.mean(0).mul(0) ?? x).div(3);
    const variance = batches.reduce((sum, batch) => sum.add(batch.var(0)), mean.mul(0)).div(3);
    const [runningMean = [], runningVar = []] = await readAll([norm.runningMean?.value ?? x, norm.runningVar?.value ?? x]);
    expect(await relativeError(runningMean, mean)).toBeLessThan(1e-6);
    expect(await relativeError(runningVar, variance)).toBeLessThan(1e-6);
    expect([model.training, norm.training, norm.momentum]).toEqual([true, false, 0.3]);
  });
});

describe('other frameworks', () => {
  const array = (values: number[]) => ({ shape: [values.length], dtype, data: Float32Array.from(values) }) as const;

  test.each([
    ['pytorch', { eps: 1e-5, momentum: 0.1, runningVariance: 'unbiased' }],
    ['flax', { eps: 1e-5, momentum: expect.closeTo(0.01), runningVariance: 'biased' }],
    ['keras', { eps: 1e-3, momentum: expect.closeTo(0.01), runningVariance: 'biased' }],
  ] as const)('%s', (framework, expected) => {
    expect(batchNormOptions(framework)).toEqual(expected);
  });

  it('have an ε for each normalization', () => {
    expect([epsilonOf('pytorch', 'rms'), epsilonOf('pytorch', 'rms', 'float64'), epsilonOf('flax', 'layer'), epsilonOf('keras', 'group')]).toEqual([2 ** -23, 2 ** -52, 1e-6, 1e-3]);
    expect(() => epsilonOf('tensorflowjs', 'rms')).toThrowErrorMatchingInlineSnapshot(`[UserError: tensorflowjs has no rms normalization — it has layer]`);
  });

  it('names are translated', async () => {
    const module = batchNormFrom('keras', { gamma: array([2]), beta: array([1]), moving_mean: array([3]), moving_variance: array([4]) }, { eps: 0 }).eval();
    expect(await module.forward(tensor([[3], [5]])).toArray()).toEqual([[1], [3]]);
    const plain = batchNormFrom('pytorch', { running_mean: array([3]), running_var: array([4]) }, { eps: 0 }).eval();
    expect(await plain.forward(tensor([[3], [5]])).toArray()).toEqual([[0], [1]]);
    const shifted = batchNormFrom('flax', { bias: array([1]), mean: array([3]), var: array([4]) }, { eps: 0 }).eval();
    expect(await shifted.forward(tensor([[3], [5]])).toArray()).toEqual([[1], [2]]);
    expect(() => batchNormFrom('flax', { running_mean: array([1]) })).toThrowErrorMatchingInlineSnapshot(`[UserError: batchNormFrom flax: no mean and var among running_mean]`);
  });
});
