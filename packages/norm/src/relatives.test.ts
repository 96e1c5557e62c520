// The methods that are variations of others: each against finite differences, and against what it equals in its limits.
import { grad, readAll, tensor, type Tensor } from '@athanor/core';
import type { TensorModule } from '@athanor/core/nn';
import { describe, expect, it, test } from 'vitest';
import { moduleDerivativeError, randomTensor, relativeError } from './testing/numbers.ts';
import { EvoNormB0, ExtendedBatchNorm, GhostBatchNorm, MeanOnlyBatchNorm } from './batch/relatives.ts';
import { BatchNorm } from './batch/batch.ts';
import { DynamicErf, DynamicTanh, LayerScale } from './none/elementwise.ts';
import { FilterResponseNorm } from './sample/filter-response.ts';
import { EvoNormS0, GlobalResponseNorm, PositionalNorm, SimpleNorm, UnitNorm, momentShortcut, positionalNorm } from './sample/relatives.ts';
import { ChannelLayerNorm, InstanceNorm } from './sample/sample.ts';
import { SwitchableNorm } from './mixture/switchable.ts';

const dtype = 'float64';
const [features, sequence, image] = [[6, 4], [3, 5, 4], [4, 4, 3, 2]];
const x = randomTensor(image, 1, { shift: 0.4 });

const modules: [string, (layout: readonly number[]) => TensorModule, readonly (readonly number[])[]][] = [
  ['filter response', () => new FilterResponseNorm(4, { dtype, eps: 0.1 }), [sequence, image]],
  ['filter response with learned ε, no threshold', () => new FilterResponseNorm(4, { dtype, learnEps: true, threshold: false }), [features, image]],
  ['dynamic tanh', () => new DynamicTanh(4, { dtype }), [features, sequence, image]],
  ['dynamic erf', () => new DynamicErf(4, { dtype }), [features, sequence, image]],
  ['layer scale', () => new LayerScale(4, { dtype }), [features, sequence, image]],
  ['switchable', () => new SwitchableNorm(4, { dtype, eps: 0.1 }), [features, sequence, image]],
  ['positional', () => new PositionalNorm(), [sequence, image]],
  ['global response', () => new GlobalResponseNorm(4, { dtype }), [features, sequence, image]],
  ['simple', () => new SimpleNorm(4, { dtype, eps: 0.1 }), [features, sequence, image]],
  ['unit', () => new UnitNorm(), [features, sequence, image]],
  ['EvoNorm-S0', () => new EvoNormS0(4, { dtype, groups: 2, eps: 0.1 }), [features, sequence, image]],
  ['EvoNorm-B0', () => new EvoNormB0(4, { dtype, eps: 0.1 }), [sequence, image]],
  ['ghost batch', () => new GhostBatchNorm(4, { dtype, samples: 2, eps: 0.1 }), [features, image]],
  ['ghost batch, with a rest', () => new GhostBatchNorm(4, { dtype, samples: 4, eps: 0.1 }), [features]],
  ['extended batch', () => new ExtendedBatchNorm(4, { dtype, eps: 0.1 }), [features, sequence, image]],
  ['mean-only batch', () => new MeanOnlyBatchNorm(4, { dtype }), [features, sequence, image]],
];

describe.each(modules)('%s', (_, make, shapes) => {
  it('keeps shapes and has the derivatives of finite differences', async () => {
    for (const shape of shapes) {
      const input = randomTensor(shape, 7, { shift: 0.3 });
      expect(make(shape).forward(input).shape).toEqual(shape);
      expect(await moduleDerivativeError(make(shape), input)).toBeLessThan(1e-6);
    }
  });
});

describe('filter response', () => {
  it('is invariant to the scale of each channel of each sample', async () => {
    const make = (eps: number): FilterResponseNorm => new FilterResponseNorm(4, { dtype, eps });
    expect(await relativeError(make(1e-4).forward(x.mul(0.01)), make(1).forward(x))).toBeLessThan(1e-12);
  });

  it('starts as a rectified unit; far below, the threshold does nothing', async () => {
    const [thresholded, plain] = [new FilterResponseNorm(4, { dtype }), new FilterResponseNorm(4, { dtype, threshold: false })];
    expect(await relativeError(thresholded.forward(x), plain.forward(x).relu())).toBe(0);
    thresholded.threshold?.assign(-100);
    expect(await relativeError(thresholded.forward(x), plain.forward(x))).toBe(0);
  });
});

describe('switchable', () => {
  const logits = [[40, -40, -40], [-40, 40, -40], [-40, -40, 40]];
  const limits: [string, number[] | undefined, TensorModule][] = [
    ['instance', logits[0], new InstanceNorm(4, { dtype })],
    ['layer', logits[1], new ChannelLayerNorm(4, { dtype })],
    ['batch', logits[2], new BatchNorm(4, { dtype })],
  ];

  it.each(limits)('with all weight on %s normalization is that', async (_, values, expected) => {
    const module = new SwitchableNorm(4, { dtype });
    for (const parameter of [module.meanLogits, module.varianceLogits]) parameter.assign(Float64Array.from(values ?? []));
    expect(await relativeError(module.forward(x), expected.forward(x))).toBeLessThan(1e-12);
  });

  it('evaluates with running batch statistics', async () => {
    const module = new SwitchableNorm(4, { dtype, momentum: 1 });
    const trained = await module.forward(x).data();
    expect(await relativeError(module.eval().forward(x), trained)).toBeLessThan(1e-13);
  });
});

describe('relatives of batch normalization', () => {
  it('ghost: parts are batches of their own, and the running statistics average them', async () => {
    const [ghost, batch] = [new GhostBatchNorm(4, { dtype, samples: 2 }), new BatchNorm(4, { dtype })];
    const [first, second] = [x.narrow(0, 0, 2), x.narrow(0, 2, 2)];
    const [y = [], mean = []] = await readAll([ghost.forward(x), ghost.runningMean?.value ?? x]);
    expect(await relativeError(y.slice(0, 48), batch.forward(first))).toBeLessThan(1e-13);
    expect(await relativeError(y.slice(48), batch.forward(second))).toBeLessThan(1e-13);
    expect(await relativeError(mean, x.mean([0, 2, 3]).mul(0.1))).toBeLessThan(1e-13);
  });

  it('ghost of the whole batch is batch normalization', async () => {
    expect(await relativeError(new GhostBatchNorm(4, { dtype, samples: 4 }).forward(x), new BatchNorm(4, { dtype }).forward(x))).toBe(0);
  });

  it('extended: one scale for all channels', async () => {
    const y = new ExtendedBatchNorm(4, { dtype, eps: 1e-14 }).forward(x);
    expect(await y.mean([0, 2, 3]).abs().max().item()).toBeLessThan(1e-14);
    expect(await y.square().mean().item()).toBeCloseTo(1, 12);
  });

  it.each([
    ['extended', () => new ExtendedBatchNorm(4, { dtype, momentum: 1 })],
    ['mean-only', () => new MeanOnlyBatchNorm(4, { dtype, momentum: 1 })],
    ['EvoNorm-B0', () => new EvoNormB0(4, { dtype, momentum: 1, runningVariance: 'biased' })],
  ])('%s: evaluation with statistics of the same batch is training', async (_, make) => {
    const module = make();
    const trained = await module.forward(x).data();
    expect(await relativeError(module.eval().forward(x), trained)).toBeLessThan(1e-13);
  });

  it('mean-only: gradients are centred', async () => {
    const [dx = x] = grad(new MeanOnlyBatchNorm(4, { dtype }).forward(x), [x], { cotangent: randomTensor(image, 3) });
    expect(await dx.sum([0, 2, 3]).abs().max().item()).toBeLessThan(1e-13);
  });
});

test('positional normalization and its moment shortcut undo each other', async () => {
  const { y, ...removed } = positionalNorm(x);
  expect(await relativeError(momentShortcut(y, removed), x)).toBeLessThan(1e-14);
  expect(await y.mean(1).abs().max().item()).toBeLessThan(1e-14);
});

test('global response normalization starts as the identity', async () => {
  expect(await relativeError(new GlobalResponseNorm(4, { dtype }).forward(x), x)).toBe(0);
});

test('unit normalization: length 1, and 0 of 0', async () => {
  const y = new UnitNorm().forward(tensor([[3, 4], [0, 0]]));
  expect(await y.toArray()).toEqual([[expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)], [0, 0]]);
});

test('dynamic tanh and erf are bounded by γ and nearly linear near 0', async () => {
  for (const module of [new DynamicTanh(4, { dtype }), new DynamicErf(4, { dtype })] as TensorModule[]) {
    expect(await module.forward(x.mul(1e3)).abs().max().item()).toBeLessThanOrEqual(1);
  }
  const small: Tensor = x.mul(1e-4);
  expect(await relativeError(new DynamicTanh(4, { dtype }).forward(small), small.mul(0.5))).toBeLessThan(1e-6);
});
