// Virtual, split, synchronized and in-place batch normalization: each against what it is made of.
import { cat, grad, readAll, tensor, type Tensor } from '@athanor/core';
import { describe, expect, it, test } from 'vitest';
import { moduleDerivativeError, normalNumbers, randomTensor, relativeError } from '../testing/numbers.ts';
import { BatchNorm } from './batch.ts';
import { InPlaceBatchNorm, type InvertibleActivation } from './in-place.ts';
import { renormSchedule } from './renorm.ts';
import { SplitBatchNorm } from './split.ts';
import { SyncBatchNorm, type Moments } from './synchronized.ts';
import { VirtualBatchNorm } from './virtual.ts';

const dtype = 'float64';
const x = randomTensor([6, 3, 2, 2], 1, { shift: 0.5, scale: 2 });

describe('virtual', () => {
  it('normalises each sample by the reference and itself, as if both were one batch', async () => {
    const norm = new VirtualBatchNorm(3, { reference: 4, dtype, eps: 0.1 });
    const y = norm.forward(x);
    const reference = x.narrow(0, 0, 4);
    for (const n of [4, 5]) {
      const joined = new BatchNorm(3, { dtype, eps: 0.1 }).forward(cat([reference, x.narrow(0, n, 1)]));
      expect(await relativeError(y.narrow(0, n, 1), joined.narrow(0, 4, 1))).toBeLessThan(1e-12);
    }
    expect(await relativeError(y.narrow(0, 0, 4), new BatchNorm(3, { dtype, eps: 0.1 }).forward(reference))).toBeLessThan(1e-12);
  });

  it('evaluates with the reference that it saw last, each sample on its own', async () => {
    const norm = new VirtualBatchNorm(3, { reference: 4, dtype });
    const trained = await norm.forward(x).narrow(0, 4, 2).data();
    norm.eval();
    expect(await relativeError(norm.forward(x.narrow(0, 4, 2)), trained)).toBeLessThan(1e-12);
  });

  it('refuses batches without a reference', () => {
    expect(() => new VirtualBatchNorm(3, { reference: 8, dtype }).forward(x)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: VirtualBatchNorm: [6, 3, 2, 2] has no 8 reference samples — put the reference batch in front: cat([reference, x])]`);
  });
});

test('split: each part has a normalization of its own, evaluation takes the first', async () => {
  const norm = new SplitBatchNorm(3, { splits: 2, dtype, momentum: 1 });
  const [y, first, second] = [norm.forward(x), new BatchNorm(3, { dtype }), new BatchNorm(3, { dtype })];
  const expected = cat([first.forward(x.narrow(0, 0, 3)), second.forward(x.narrow(0, 3, 3))]);
  expect(await relativeError(y, expected)).toBeLessThan(1e-12);
  const [mean = [], auxiliary = []] = await readAll(norm.norms.flatMap(({ runningMean }) => (runningMean === undefined ? [] : [runningMean.value])));
  expect(await relativeError(mean, x.narrow(0, 0, 3).mean([0, 2, 3]))).toBeLessThan(1e-12);
  expect(await relativeError(auxiliary, x.narrow(0, 3, 3).mean([0, 2, 3]))).toBeLessThan(1e-12);
  expect(() => norm.train().forward(x.narrow(0, 0, 5))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: SplitBatchNorm: [5, 3, 2, 2] does not split into 2 parts — give a batch of equal parts]`);
});

describe('synchronized', () => {
  it('with replicas computes what batch normalization of the whole does, gradients and running statistics included', async () => {
    const dy = randomTensor(x.shape, 2);
    const results = async (norm: BatchNorm): Promise<ArrayLike<number>[]> => {
      const y = norm.forward(x);
      return await readAll([y, ...grad(y, [x, ...norm.parameters()], { cotangent: dy }), ...norm.buffers().map(({ value }) => value)]);
    };
    const expected = await results(new BatchNorm(3, { dtype }));
    for (const replicas of [1, 2, 4]) {
      for (const [i, values] of (await results(new SyncBatchNorm(3, { dtype, replicas }))).entries()) expect(await relativeError(values, expected[i] ?? [])).toBeLessThan(1e-12);
    }
  });

  it('takes moments from other processes through its transport', async () => {
    const [here, there] = [x.narrow(0, 0, 2), x.narrow(0, 2, 4)];
    const remote: Moments = { count: 16, mean: there.mean([0, 2, 3], { keepdim: true }), variance: there.var([0, 2, 3], { keepdim: true, correction: 0 }) };
    const norm = new SyncBatchNorm(3, { dtype, transport: (local) => [...local, remote] });
    const expected = new BatchNorm(3, { dtype }).forward(x).narrow(0, 0, 2);
    expect(await relativeError(norm.forward(here), expected)).toBeLessThan(1e-12);
  });
});

describe('in-place', () => {
  const scales = Float64Array.of(1.5, -0.7, 0.4);
  const shifts = Float64Array.of(0.2, -0.3, 0.1);
  const eps = 1e-3;

  /** The same with ordinary operations. */
  function plain(input: Tensor, weight: Tensor, bias: Tensor, activation: InvertibleActivation): Tensor {
    const channel = (values: Tensor): Tensor => values.reshape(3, 1, 1);
    const mean = input.mean([0, 2, 3], { keepdim: true });
    const standard = input.sub(mean).div(input.var([0, 2, 3], { keepdim: true, correction: 0 }).add(eps).sqrt());
    const y = standard.mul(channel(weight.abs().add(eps))).add(channel(bias));
    if (activation === 'none') return y;
    return activation === 'leaky' ? y.maximum(y.mul(0.01)) : y.maximum(0).add(y.minimum(0).expm1());
  }

  it.each<InvertibleActivation>(['leaky', 'elu', 'none'])('%s: output and gradients are those of the plain composition', async (activation) => {
    const norm = new InPlaceBatchNorm(3, { dtype, eps, activation });
    norm.weight?.assign(scales);
    norm.bias?.assign(shifts);
    const [weight, bias] = [tensor(scales), tensor(shifts)];
    const cotangent = randomTensor(x.shape, 3);
    const y = norm.forward(x);
    const expected = plain(x, weight, bias, activation);
    const actual = await readAll([y, ...grad(y, [x, ...norm.parameters()], { cotangent })]);
    const wanted = await readAll([expected, ...grad(expected, [x, weight, bias], { cotangent })]);
    for (const [i, values] of actual.entries()) expect(await relativeError(values, wanted[i] ?? [])).toBeLessThan(1e-11);
  });

  it.each(['outside', 'clamp'] as const)('has the derivatives of finite differences with ε %s', async (placement) => {
    expect(await moduleDerivativeError(new InPlaceBatchNorm(3, { dtype, eps: 0.4, placement, activation: 'elu' }), x)).toBeLessThan(1e-7);
  });

  it('in float32 stays within 1e-4, though what the slope shrinks is blown up again', async () => {
    const norm = new InPlaceBatchNorm(3, { eps });
    const [single, cotangent] = [randomTensor(x.shape, 1, { shift: 0.5, scale: 2, dtype: 'float32' }), randomTensor(x.shape, 3, { dtype: 'float32' })];
    const y = norm.forward(single);
    const [dx = []] = await readAll(grad(y, [single], { cotangent }));
    const [wanted = []] = await readAll(grad(plain(x, tensor(new Float64Array(3).fill(1)), tensor(new Float64Array(3)), 'leaky'), [x], { cotangent: randomTensor(x.shape, 3) }));
    expect(await relativeError(dx, wanted)).toBeLessThan(1e-4);
  });

  it('backward reads the output, not the input, as that of batch normalization does', () => {
    /** Whether the gradient needs x beside what is as small as a statistic and the layer's output. */
    const needsInput = (norm: BatchNorm): boolean => {
      const y = norm.forward(x);
      const [dx = x] = grad(y, [x], { cotangent: randomTensor(x.shape, 4) });
      const kept = new Set<unknown>([y.node, ...(norm instanceof InPlaceBatchNorm ? y.node.inputs : [])]);
      const reached = new Set<unknown>();
      const visit = (node: Tensor['node']): void => {
        if (reached.has(node) || kept.has(node) || node.shape.reduce((product, size) => product * size, 1) < x.size) return;
        reached.add(node);
        for (const input of node.inputs) visit(input);
      };
      visit(dx.node);
      return reached.has(x.node);
    };
    expect(needsInput(new InPlaceBatchNorm(3, { dtype }))).toBe(false);
    expect(needsInput(new BatchNorm(3, { dtype }))).toBe(true);
  });
});

test('the schedule of batch renormalization scales with the training', () => {
  expect(renormSchedule(50_000)).toEqual({ warmup: 5000, rRamp: 35_000, dRamp: 20_000 });
  expect(renormSchedule(1000)).toEqual({ warmup: 100, rRamp: 700, dRamp: 400 });
});

test('a virtual batch of [N, C] has no spread of a sample’s own', async () => {
  const features = tensor(normalNumbers(15, 5), { shape: [5, 3], dtype });
  const norm = new VirtualBatchNorm(3, { reference: 4, dtype, eps: 0.1 });
  const joined = new BatchNorm(3, { dtype, eps: 0.1 }).forward(features);
  expect(await relativeError(norm.forward(features).narrow(0, 4, 1), joined.narrow(0, 4, 1))).toBeLessThan(1e-12);
});
