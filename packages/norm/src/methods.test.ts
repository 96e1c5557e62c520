// Batch, layer, group, instance and RMS normalization: each on each layout against loops in float64, in float64 and in
// float32; equivalences, invariances, independence of other samples, inputs far from zero.
import { cpuBackend } from '@athanor/backend-cpu';
import { currentBackend, grad, setBackend, tensor, type Tensor, type TypedArray } from '@athanor/core';
import type { Module, TensorModule } from '@athanor/core/nn';
import { afterEach, describe, expect, it, test } from 'vitest';
import { derivativeError, normalNumbers, randomTensor, relativeError, secondDerivativeError } from './testing/numbers.ts';
import { referenceNorm } from './testing/reference.ts';
import { BatchNorm } from './batch/batch.ts';
import { LayerNorm, QueryKeyNorm, RMSNorm } from './sample/last-axes.ts';
import { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm } from './sample/sample.ts';

const eps = 0.01;
type Dtype = 'float32' | 'float64';
type Index = readonly number[];

interface Method {
  readonly name: string;
  readonly shape: readonly number[];
  readonly make: (dtype: Dtype) => TensorModule;
  /** Names the statistic of an element; indices are in the order of the shape. */
  readonly statistic: (index: Index) => string;
  readonly parameter: (index: Index) => number;
  readonly center: boolean;
}

const [features, sequence, image] = [[6, 4], [3, 5, 4], [3, 4, 2, 3]];
const channelOf = (shape: readonly number[]): number => (shape.length === 3 ? 2 : 1);
const key = (index: Index, axes: readonly number[]): string => axes.map((axis) => index[axis]).join();

/** A method with parameters per channel; a statistic is named by the indices along `named` axes. */
function perChannel(name: string, shape: readonly number[], named: readonly number[], make: Method['make'], center = true): Method {
  return { name, shape, make, center, statistic: (index) => key(index, named), parameter: (index) => index[channelOf(shape)] ?? 0 };
}

const methods: Method[] = [
  ...[features, sequence, image].map((shape) => perChannel('BatchNorm', shape, [channelOf(shape)], (dtype) => new BatchNorm(4, { eps, dtype }))),
  perChannel('ChannelLayerNorm', features, [0], (dtype) => new ChannelLayerNorm(4, { eps, dtype })),
  perChannel('ChannelLayerNorm', sequence, [0, 1], (dtype) => new ChannelLayerNorm(4, { eps, dtype })),
  perChannel('ChannelLayerNorm', image, [0], (dtype) => new ChannelLayerNorm(4, { eps, dtype })),
  perChannel('ChannelLayerNorm over positions', image, [0, 2, 3], (dtype) => new ChannelLayerNorm(4, { eps, dtype, over: 'position' })),
  perChannel('InstanceNorm', sequence, [0, 2], (dtype) => new InstanceNorm(4, { eps, dtype, affine: true })),
  perChannel('InstanceNorm', image, [0, 1], (dtype) => new InstanceNorm(4, { eps, dtype, affine: true })),
  ...[features, sequence, image].map((shape): Method => ({
    ...perChannel('GroupNorm', shape, [], (dtype) => new GroupNorm(2, 4, { eps, dtype })),
    statistic: (index) => `${index[0]} ${Math.floor((index[channelOf(shape)] ?? 0) / 2)}`,
  })),
  {
    ...perChannel('GroupNorm over positions', sequence, [], (dtype) => new GroupNorm(2, 4, { eps, dtype, over: 'position' })),
    statistic: (index) => `${key(index, [0, 1])} ${Math.floor((index[2] ?? 0) / 2)}`,
  },
  perChannel('ChannelRMSNorm', features, [0], (dtype) => new ChannelRMSNorm(4, { eps, dtype }), false),
  perChannel('ChannelRMSNorm', sequence, [0, 1], (dtype) => new ChannelRMSNorm(4, { eps, dtype }), false),
  perChannel('ChannelRMSNorm', image, [0, 2, 3], (dtype) => new ChannelRMSNorm(4, { eps, dtype }), false),
  perChannel('ChannelRMSNorm over samples', image, [0], (dtype) => new ChannelRMSNorm(4, { eps, dtype, over: 'sample' }), false),
  {
    name: 'LayerNorm over [2, 3]',
    shape: image,
    make: (dtype) => new LayerNorm([2, 3], { eps, dtype }),
    center: true,
    statistic: (index) => key(index, [0, 1]),
    parameter: (index) => 3 * (index[2] ?? 0) + (index[3] ?? 0),
  },
  {
    name: 'RMSNorm over 4',
    shape: sequence,
    make: (dtype) => new RMSNorm(4, { eps, dtype }),
    center: false,
    statistic: (index) => key(index, [0, 1]),
    parameter: (index) => index[2] ?? 0,
  },
];

/** Gives γ and β values that are not 1 and 0; the same for the same dtype. */
function disturb(module: Module, dtype: Dtype): { weight: Tensor; bias: Tensor | undefined } {
  const [weight, bias] = ['weight', 'bias'].map((name, i) => {
    const parameter = module.stateDict()[name];
    if (parameter === undefined) return undefined;
    parameter.assign(randomTensor(parameter.shape, 50 + i, { dtype, shift: 1 - i }));
    return parameter.value;
  });
  if (weight === undefined) throw new Error('a module without weight');
  return { weight, bias };
}

const reference = currentBackend();
afterEach(() => setBackend(reference));

describe.each(methods)('$name of $shape', ({ shape, make, statistic, parameter, center }) => {
  it.each([
    ['float64', 1e-11],
    ['float32', 2e-5],
  ] as const)('equals loops, with its gradients, in %s', async (dtype, tolerance) => {
    setBackend(cpuBackend());
    const module = make(dtype);
    const { weight, bias } = disturb(module, dtype);
    const [x, dy] = [randomTensor(shape, 1, { dtype, shift: 0.3 }), randomTensor(shape, 2, { dtype })];
    const y = module.forward(x);
    const gradients = grad(y, [x, weight, ...(bias === undefined ? [] : [bias])], { cotangent: dy });
    const none = new Float64Array(weight.size);
    const expected = referenceNorm({
      shape, eps, center, statistic, parameter,
      x: await x.data(),
      dy: await dy.data(),
      weight: await weight.data(),
      bias: (await bias?.data()) ?? none,
    });
    expect(await relativeError(y, expected.y)).toBeLessThan(tolerance);
    const parts = [expected.dx, expected.dweight, expected.dbias];
    for (const [i, actual] of gradients.entries()) expect(await relativeError(actual, parts[i] ?? [])).toBeLessThan(tolerance);
  });

  it('has the derivatives of finite differences, first and second', async () => {
    const module = make('float64');
    disturb(module, 'float64');
    const x = randomTensor(shape, 1);
    expect(await derivativeError((input) => module.forward(input), [x])).toBeLessThan(1e-8);
    expect(await secondDerivativeError((input) => module.forward(input), [x])).toBeLessThan(1e-5);
  });
});

describe.each(['outside', 'clamp'] as const)('ε %s', (placement) => {
  const x = randomTensor([4, 4, 2, 3], 12, { shift: 0.3 });
  const scales: [string, TensorModule, readonly number[]][] = [
    ['batch', new BatchNorm(4, { dtype: 'float64', eps: 0.4, placement }), [0, 2, 3]],
    ['layer', new ChannelLayerNorm(4, { dtype: 'float64', eps: 0.4, placement }), [1, 2, 3]],
    ['instance', new InstanceNorm(4, { dtype: 'float64', eps: 0.4, placement }), [2, 3]],
  ];

  it.each(scales)('%s', async (_, module, axes) => {
    const sigma = x.std(axes, { keepdim: true, correction: 0 });
    const divisor = placement === 'outside' ? sigma.add(0.4) : sigma.square().maximum(0.4).sqrt();
    expect(await relativeError(module.forward(x), x.sub(x.mean(axes, { keepdim: true })).div(divisor))).toBeLessThan(1e-12);
    expect(await derivativeError((input) => module.forward(input), [x])).toBeLessThan(1e-8);
  });
});

test('queries and keys of each head get root mean square 1, or variance 1', async () => {
  const [query, key] = [randomTensor([2, 3, 5, 8], 13, { dtype: 'float32', scale: 4 }), randomTensor([2, 3, 5, 8], 14, { dtype: 'float32', shift: 2 })];
  const scaled = new QueryKeyNorm(8).forward(query, key);
  expect(await relativeError(scaled.query.square().mean(-1), new Array<number>(30).fill(1))).toBeLessThan(1e-5);
  const centred = new QueryKeyNorm(8, { kind: 'layer' }).forward(query, key);
  expect(await centred.key.mean(-1).abs().max().item()).toBeLessThan(1e-5);
  expect(await relativeError(centred.key.var(-1, { correction: 0 }), new Array<number>(30).fill(1))).toBeLessThan(1e-4);
});

describe('equivalences', () => {
  const x = randomTensor([3, 6, 4, 5], 1);
  const dtype = 'float64';
  const pairs: [string, TensorModule, TensorModule, Tensor][] = [
    ['group normalization of one group: layer normalization over the sample', new GroupNorm(1, 6, { dtype }), new ChannelLayerNorm(6, { dtype }), x],
    ['layer normalization over the sample: LayerNorm over [C, H, W] with equal scales', new ChannelLayerNorm(6, { dtype }), new LayerNorm([6, 4, 5], { dtype }), x],
    ['group normalization with a group per channel: instance normalization', new GroupNorm(6, 6, { dtype }), new InstanceNorm(6, { dtype }), x],
    ['batch normalization of one sample: instance normalization', new BatchNorm(6, { dtype }), new InstanceNorm(6, { dtype }), x.narrow(0, 0, 1)],
  ];

  it.each(pairs)('%s', async (_, a, b, input) => {
    expect(await relativeError(a.forward(input), b.forward(input))).toBeLessThan(1e-13);
  });

  it('RMS normalization of what is centred is layer normalization', async () => {
    const y = randomTensor([4, 6], 2);
    const centred = y.sub(y.mean(1, { keepdim: true }));
    expect(await relativeError(new ChannelRMSNorm(6, { dtype, eps }).forward(centred), new ChannelLayerNorm(6, { dtype, eps }).forward(y))).toBeLessThan(1e-13);
  });
});

describe('invariances', () => {
  const dtype = 'float64';
  const x = randomTensor([4, 6, 3, 3], 3);
  const scale = 1e-3;
  /** The law with ε: scaling the input by a is scaling ε by 1 / a². */
  const pairs: [string, (eps: number) => TensorModule, (x: Tensor) => Tensor, number][] = [
    ['batch: scale and shift of each channel', (own) => new BatchNorm(6, { dtype, eps: own }), (t) => t.mul(scale).add(randomTensor([6, 1, 1], 4)), scale],
    ['layer: scale and shift of each sample', (own) => new ChannelLayerNorm(6, { dtype, eps: own }), (t) => t.mul(scale).add(randomTensor([4, 1, 1, 1], 4)), scale],
    ['group: scale and shift of each group', (own) => new GroupNorm(2, 6, { dtype, eps: own }), (t) => t.mul(scale).add(tensor([1, 1, 1, -2, -2, -2], { shape: [6, 1, 1], dtype })), scale],
    ['instance: scale and shift of each channel of each sample', (own) => new InstanceNorm(6, { dtype, eps: own }), (t) => t.mul(scale).add(randomTensor([4, 6, 1, 1], 4)), scale],
    ['RMS: scale', (own) => new ChannelRMSNorm(6, { dtype, eps: own }), (t) => t.mul(scale), scale],
  ];

  it.each(pairs)('%s', async (_, make, change, a) => {
    expect(await relativeError(make(eps * a * a).forward(change(x)), make(eps).forward(x))).toBeLessThan(1e-10);
  });

  it('RMS is not invariant to shifts, layer not to scales of single channels', async () => {
    const channels = randomTensor([6, 1, 1], 5);
    expect(await relativeError(new ChannelRMSNorm(6, { dtype }).forward(x.add(1)), new ChannelRMSNorm(6, { dtype }).forward(x))).toBeGreaterThan(0.01);
    expect(await relativeError(new ChannelLayerNorm(6, { dtype }).forward(x.mul(channels)), new ChannelLayerNorm(6, { dtype }).forward(x))).toBeGreaterThan(0.01);
  });
});

/** The values of a batch's first sample. */
async function firstSample(y: Tensor): Promise<TypedArray> {
  const values = await y.data();
  return values.slice(0, values.length / (y.shape[0] ?? 1));
}

describe('what else is in the batch', () => {
  const others = methods.filter(({ name, shape }) => shape === image && name !== 'BatchNorm');

  it.each(others)('does not change a bit of $name', async ({ make }) => {
    setBackend(cpuBackend());
    const module = make('float32');
    const x = randomTensor([5, 4, 2, 3], 6, { dtype: 'float32' });
    expect(await firstSample(module.forward(x))).toEqual(await firstSample(module.forward(x.narrow(0, 0, 1))));
  });

  it('does not change a bit of batch normalization in evaluation, but does in training', async () => {
    setBackend(cpuBackend());
    const module = new BatchNorm(4);
    const x = randomTensor([5, 4, 2, 3], 6, { dtype: 'float32' });
    await module.forward(x).data();
    const both = async (): Promise<TypedArray[]> => await Promise.all([firstSample(module.forward(x)), firstSample(module.forward(x.narrow(0, 0, 1)))]);
    const [inBatch, alone] = await both();
    expect(inBatch).not.toEqual(alone);
    module.eval();
    const [evaluated, evaluatedAlone] = await both();
    expect(evaluated).toEqual(evaluatedAlone);
  });
});

test.each([
  ['batch', () => new BatchNorm(2), (index: Index) => `${index[1]}`],
  ['layer', () => new ChannelLayerNorm(2), (index: Index) => `${index[0]}`],
  ['instance', () => new InstanceNorm(2), (index: Index) => `${index[0]} ${index[1]}`],
])('%s normalization of 10⁴ + N(0, 1) in float32', async (_, make, statistic) => {
  setBackend(cpuBackend());
  const shape = [4, 2, 8, 8];
  const values = Float32Array.from(normalNumbers(512, 7), (z) => 1e4 + z);
  const dy = Float32Array.from(normalNumbers(512, 8));
  const x = tensor(values, { shape });
  const y = make().forward(x);
  const [dx = y] = grad(y, [x], { cotangent: tensor(dy, { shape }) });
  const none = { weight: Float64Array.of(1), bias: Float64Array.of(0) };
  const expected = referenceNorm({ shape, x: values, dy, ...none, eps: 1e-5, center: true, statistic, parameter: () => 0 });
  expect(await relativeError(y, expected.y)).toBeLessThan(1e-3);
  expect(await relativeError(dx, expected.dx)).toBeLessThan(1e-3);
});

describe('refuses', () => {
  it.each<[string, () => unknown]>([
    ['another number of channels', () => new BatchNorm(4).forward(randomTensor([2, 3], 1))],
    ['an input without a layout', () => new ChannelLayerNorm(4).forward(randomTensor([4], 1))],
    ['groups that do not divide', () => new GroupNorm(3, 4)],
    ['one value per statistic', () => new InstanceNorm(4).forward(randomTensor([2, 4, 1, 1], 1))],
    ['instances without positions', () => new InstanceNorm(4).forward(randomTensor([2, 4], 1))],
    ['a batch of one in training', () => new BatchNorm(4).forward(randomTensor([1, 4], 1))],
    ['other last axes', () => new LayerNorm([3, 4]).forward(randomTensor([2, 4, 3], 1))],
    ['a momentum above 1', () => new BatchNorm(4, { momentum: 1.5 })],
    ['no channels', () => new BatchNorm(0)],
  ])('%s', (_, act) => {
    expect(act).toThrowErrorMatchingSnapshot();
  });
});
