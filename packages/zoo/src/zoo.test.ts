// Every architecture: parameters and multiply-accumulates as published or counted by hand, shapes, swappable parts, and
// that a step of training helps.
import { flush, grad, random, tensor, zeros, type Tensor } from '@athanor/core';
import { SGD, functional, trace, type TensorModule } from '@athanor/core/nn';
import { Registry, type ComponentRef } from '@athanor/core/plugin';
import normPlugin, { BatchNorm, LayerStepNorm } from '@athanor/norm';
import { describe, expect, it, test } from 'vitest';
import zooPlugin, { BasicBlock, LSTMClassifier, LeNet5, MLP, ResNet } from './index.ts';

const registry = new Registry([normPlugin, zooPlugin]);
const grey = [1, 28, 28];
const colour = [3, 32, 32];
const make = (ref: ComponentRef, input: readonly number[] = grey): TensorModule => registry.make('model', ref, { input, classes: 10 });

const counts: [string, ComponentRef, readonly number[], parameters: number, macs: number][] = [
  ['LeNet-5, 28×28', 'lenet5', grey, 61_706, 416_520],
  ['LeNet-5, 32×32', 'lenet5', [1, 32, 32], 61_706, 416_520],
  ['MLP 784-256-128-10', 'mlp', grey, 235_146, 234_752],
  ['MLP 784-500-250-100-10', { name: 'mlp', hidden: [500, 250, 100] }, grey, 543_860, 543_000],
  ['LSTM of 100 units, row by row', 'lstm-classifier', grey, 52_610, 1_434_600],
  // 4 · 50 (28 + 50 + 1) and 500 + 10; 28 steps
  ['LSTM, row by row', { name: 'lstm-classifier', width: 50 }, grey, 16_310, 28 * 200 * 78 + 500],
  ['LSTM, 14×14 pixels, 196 steps', { name: 'lstm-classifier', width: 20, pool: 2, steps: 196, permutation: 1 }, grey, 1_970, 196 * 80 * 21 + 200],
  ['ResNet-20, projections', 'resnet20', colour, 272_474, 40_813_184],
  ['ResNet-20, zero padding', { name: 'resnet20', shortcut: 'A' }, colour, 269_722, 40_551_040],
  ['ResNet-20, grey, width 8', { name: 'resnet20', shortcut: 'A', width: 8 }, grey, 67_906, 7_733_696],
  ['ResNet-8', { name: 'resnet-cifar', depth: 8, shortcut: 'A' }, grey, 75_002, 9_145_216],
  ['ResNet-32, stem of stride 2', { name: 'resnet-cifar', depth: 32, shortcut: 'A', width: 8, stemStride: 2 }, grey, 116_738, 3_616_736],
  ['ResNet-56', { name: 'resnet-cifar', depth: 56, shortcut: 'A' }, colour, 853_018, 125_485_696],
  ['ResNet-110', { name: 'resnet-cifar', depth: 110, shortcut: 'A' }, colour, 1_727_962, 252_887_680],
];

test.each(counts)('%s', (_, ref, input, parameters, macs) => {
  const graph = trace(make(ref, input), [1, ...input]);
  expect([graph.parameters, graph.macs]).toEqual([parameters, macs]);
  expect(graph.outputs[0]?.shape).toEqual([1, 10]);
});

describe('names of the state', () => {
  it('LeNet-5', () => {
    expect(Object.keys(make({ name: 'lenet5', norm: 'batch', denseNorm: 'none' }).stateDict())).toMatchInlineSnapshot(`
      [
        "conv1.conv.weight",
        "conv1.norm.weight",
        "conv1.norm.bias",
        "conv1.norm.runningMean",
        "conv1.norm.runningVar",
        "conv2.conv.weight",
        "conv2.norm.weight",
        "conv2.norm.bias",
        "conv2.norm.runningMean",
        "conv2.norm.runningVar",
        "dense1.linear.weight",
        "dense1.linear.bias",
        "dense2.linear.weight",
        "dense2.linear.bias",
        "head.weight",
        "head.bias",
      ]
    `);
  });

  it('ResNet-8, of which one block', () => {
    const names = Object.keys(make({ name: 'resnet-cifar', depth: 8, norm: 'group' }).stateDict());
    expect(names.filter((name) => !name.startsWith('stages.0') && !name.startsWith('stages.2'))).toMatchInlineSnapshot(`
      [
        "stem.conv.weight",
        "stem.norm.weight",
        "stem.norm.bias",
        "stages.1.0.conv1.conv.weight",
        "stages.1.0.conv1.norm.weight",
        "stages.1.0.conv1.norm.bias",
        "stages.1.0.conv2.conv.weight",
        "stages.1.0.conv2.norm.weight",
        "stages.1.0.conv2.norm.bias",
        "stages.1.0.shortcut.conv.weight",
        "stages.1.0.shortcut.norm.weight",
        "stages.1.0.shortcut.norm.bias",
        "head.weight",
        "head.bias",
      ]
    `);
  });

  it('MLP', () => {
    expect(Object.keys(make({ name: 'mlp', norm: 'layer' }).stateDict())).toMatchInlineSnapshot(`
      [
        "layers.0.linear.weight",
        "layers.0.norm.weight",
        "layers.0.norm.bias",
        "layers.1.linear.weight",
        "layers.1.norm.weight",
        "layers.1.norm.bias",
        "head.weight",
        "head.bias",
      ]
    `);
  });
});

describe('parts', () => {
  const norms: [ComponentRef, difference: number][] = [
    ['batch', 226],
    ['layer', 226],
    [{ name: 'group', groups: 2 }, 226],
    ['rms', 226],
    [{ name: 'batch', affine: false }, 0],
  ];

  it.each(norms)('LeNet-5 with norm %j: γ is added, β takes the place of the biases', (norm, scales) => {
    const graph = trace(make({ name: 'lenet5', norm }), [2, ...grey]);
    expect(graph.parameters - 61_706).toBe(scales);
    expect(graph.outputs[0]?.shape).toEqual([2, 10]);
  });

  it.each(['relu', 'leaky', 'elu', 'selu', 'gelu', 'silu', 'softplus', 'sigmoid', 'none'])('LeNet-5 with %s has as many parameters', (activation) => {
    const graph = trace(make({ name: 'lenet5', activation, pool: 'max' }), [2, ...grey]);
    expect(graph.parameters).toBe(61_706);
    expect(graph.outputs[0]?.shape).toEqual([2, 10]);
  });

  it('PReLU has a slope per channel', () => {
    expect(trace(make({ name: 'lenet5', activation: 'prelu' }), [1, ...grey]).parameters).toBe(61_706 + 6 + 16 + 120 + 84);
  });

  it.each(['weight', 'standardization', 'spectral', 'cosine'])('hidden layers may use their weights by %s', (weight) => {
    for (const name of ['mlp', 'lenet5', 'resnet20']) {
      const model = make({ name, weight, norm: 'none' });
      expect(model.namedParameters().filter(([path]) => path.endsWith('.layer.weight'))).not.toEqual([]);
      expect(trace(model, [2, ...grey]).outputs[0]?.shape).toEqual([2, 10]);
    }
  });

  it.each(['weight', 'cosine', 'cross-iteration'])('a norm of weights, %s, goes around the hidden layers', (norm) => {
    for (const name of ['mlp', 'lenet5', 'resnet20']) {
      expect(make({ name, norm }).namedParameters().map(([path]) => path)).toEqual(make({ name, norm: 'none', weight: norm }).namedParameters().map(([path]) => path));
    }
    expect(() => make({ name: 'mlp', norm, weight: 'spectral' })).toThrow('norm and weight both change the weights of hidden layers');
  });

  it('convolutions in front of a norm with a shift have no bias', () => {
    const names = make({ name: 'resnet20', norm: 'batch' }).namedParameters().map(([name]) => name);
    expect(names.filter((name) => name.endsWith('conv.bias'))).toEqual([]);
    expect(make({ name: 'resnet20', norm: 'none' }).namedParameters().map(([name]) => name)).toContain('stem.conv.bias');
  });
});

describe('LSTM', () => {
  it.each([
    ['none', []],
    ['layer', ['inputNorm.weight', 'hiddenNorm.weight', 'cellNorm.weight', 'cellNorm.bias']],
    ['recurrent-batch', ['inputNorm.weight', 'hiddenNorm.weight', 'cellNorm.weight', 'cellNorm.bias']],
  ])('with norm %s', (norm, names) => {
    const model = make({ name: 'lstm-classifier', width: 5, norm });
    expect(model.namedParameters().flatMap(([name]) => (name.includes('Norm') ? [name.replace('lstm.', '')] : []))).toEqual(names);
    expect(model.forward(zeros([3, ...grey])).shape).toEqual([3, 10]);
  });

  it('reads every pixel once, in the same order for the same seed', async () => {
    const image = tensor(Float32Array.from({ length: 24 }, (_, i) => i), { shape: [1, 1, 4, 6] });
    const read = async (permutation: number): Promise<number[]> => Array.from(await new LSTMClassifier([1, 4, 6], 2, { permutation, steps: 24 }).sequence(image).data());
    const order = await read(3);
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(order).toEqual(await read(3));
    expect(order).not.toEqual(await read(4));
    expect(await new LSTMClassifier([1, 4, 6], 2).sequence(image).toArray()).toEqual([[0, 6, 12, 18].map((first) => [0, 1, 2, 3, 4, 5].map((i) => first + i))]);
  });

  it('refuses steps that do not divide the pixels', () => {
    expect(() => new LSTMClassifier(grey, 10, { steps: 30 })).toThrowErrorMatchingInlineSnapshot(`[UserError: LSTMClassifier: 28×28 pixels in 30 steps — give a divisor of 784]`);
  });
});

describe('ResNet', () => {
  const options = { norm: (features: number) => new BatchNorm(features), activation: 'relu' as const, stride: 1 };

  it('is the identity of positive inputs where the last scale of a block is 0', async () => {
    flush();
    const block = new BasicBlock(4, 4, { ...options, shortcut: 'B' });
    for (const [name, parameter] of block.namedParameters()) if (name === 'conv2.norm.weight') parameter.assign(0);
    const x = random.stream('zoo test').uniform([2, 4, 5, 5]);
    expect(await block.forward(x).sub(x).abs().max().item()).toBe(0);
  });

  it('shortcut A takes every other pixel and puts zero channels around', async () => {
    const block = new BasicBlock(2, 4, { ...options, stride: 2, shortcut: 'A' });
    const x = tensor(Float32Array.from({ length: 32 }, (_, i) => i), { shape: [1, 2, 4, 4] });
    expect(await block.shortcut?.forward(x).toArray()).toEqual([[
      [[0, 0], [0, 0]],
      [[0, 2], [8, 10]],
      [[16, 18], [24, 26]],
      [[0, 0], [0, 0]],
    ]]);
  });

  it('refuses depths that are not 6n + 2', () => {
    expect(() => new ResNet(colour, 10, { depth: 21 })).toThrowErrorMatchingInlineSnapshot(`[UserError: ResNet: a depth of 21 — give 6n + 2: 8, 14, 20, 32, …]`);
  });
});

test('inputs that do not fit are refused', () => {
  expect(() => new LeNet5([784], 10)).toThrowErrorMatchingInlineSnapshot(`[UserError: LeNet-5 takes images [C, H, W], not samples of shape [784] — choose a data set of images, or the model mlp]`);
  expect(() => new LeNet5([1, 8, 8], 10)).toThrowErrorMatchingInlineSnapshot(`[UserError: LeNet-5: images of 8×8 are too small — give at least 12×12]`);
  expect(() => make({ name: 'lenet5', norm: 'instance' }).forward(zeros([2, 1, 28, 28]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: InstanceNorm: [2, 120] has one value per statistic, which would become 0 — normalise over more channels or positions]`);
});

describe('a step of training lowers the loss', () => {
  const models: [string, () => TensorModule, readonly number[]][] = [
    ['MLP', () => new MLP(144, 10, { hidden: [20], norm: (features) => new BatchNorm(features) }), [1, 12, 12]],
    ['LeNet-5', () => new LeNet5([1, 12, 12], 10, { norm: (features) => new BatchNorm(features) }), [1, 12, 12]],
    ['LSTM', () => new LSTMClassifier([1, 12, 12], 10, { width: 20, norm: (features, { bias }) => new LayerStepNorm(features, { bias }) }), [1, 12, 12]],
    ['ResNet-8', () => new ResNet([1, 8, 8], 10, { depth: 8, width: 4, norm: (features) => new BatchNorm(features) }), [1, 8, 8]],
  ];

  it.each(models)('%s', async (_, build, input) => {
    random.manualSeed(1);
    const model = build();
    const x = random.stream('zoo test').normal([8, ...input]);
    const labels = tensor([0, 1, 2, 3, 4, 5, 6, 7]).to('int32');
    const lossOf = (): Tensor => functional.crossEntropy(model.forward(x), labels);
    const optimizer = new SGD(model.parameters(), { lr: 0.02 });
    const before = lossOf();
    expect(grad(before, model.parameters()).every(({ shape }) => shape.length > 0)).toBe(true);
    optimizer.step(before);
    expect(await lossOf().item()).toBeLessThan((await before.item()) - 0.01);
  });
});
