// Local response normalization: golden values of both conventions, gradients, and its window.
import { tensor } from '@athanor/core';
import { describe, expect, it, test } from 'vitest';
import { derivativeError, randomTensor, relativeError, secondDerivativeError } from '../testing/numbers.ts';
import { LocalResponseNorm, tensorflowLocalResponse, type LocalResponseOptions } from './local-response.ts';

const ramp = tensor([[1, 2, 3, 4, 5]], { dtype: 'float64' });

test.each<[string, LocalResponseOptions, number[]]>([
  ['the paper', { k: 2, alphaPer: 'element' }, [0.59429158, 1.18787101, 1.78014039, 2.37360929, 2.96745555]],
  ['PyTorch and Caffe', {}, [0.99979005, 1.99910047, 2.99752738, 3.99676306, 4.99625328]],
])('golden values: %s', async (_, options, expected) => {
  expect(await relativeError(new LocalResponseNorm(options).forward(ramp), expected)).toBeLessThan(2e-9);
});

test('TensorFlow counts the radius', async () => {
  const [y = []] = await new LocalResponseNorm(tensorflowLocalResponse({ depthRadius: 1 })).forward(ramp).toArray() as number[][];
  expect(y).toEqual([1, 2, 3, 4, 5].map((x) => expect.closeTo(x / Math.sqrt(1 + (x > 1 ? (x - 1) ** 2 : 0) + x * x + (x < 5 ? (x + 1) ** 2 : 0)), 12)));
});

describe.each<[string, number[], LocalResponseOptions]>([
  ['channels of images', [2, 6, 2, 3], { size: 3, alpha: 0.5 }],
  ['an even window', [2, 6], { size: 4, alpha: 0.5, beta: 0.5 }],
  ['channels of sequences', [2, 3, 5], { alpha: 0.5 }],
  ['positions of images', [2, 2, 4, 5], { size: 3, alpha: 0.5, window: 'positions' }],
])('%s', (_, shape, options) => {
  const module = new LocalResponseNorm(options);
  const x = randomTensor(shape, 1);

  it('has the derivatives of finite differences, first and second', async () => {
    expect(await derivativeError((input) => module.forward(input), [x])).toBeLessThan(1e-8);
    expect(await secondDerivativeError((input) => module.forward(input), [x])).toBeLessThan(1e-6);
  });

  it('makes nothing larger', async () => {
    expect(await module.forward(x).abs().sub(x.abs()).max().item()).toBeLessThan(0);
  });
});

test('channels outside of the window do not matter', async () => {
  const module = new LocalResponseNorm({ size: 3, alpha: 1 });
  const x = randomTensor([1, 7], 2);
  const other = x.mul(tensor([1, 1, 1, 5, 5, 5, 5], { dtype: 'float64' }));
  expect(await relativeError(module.forward(other).slice(1, 0, 2), module.forward(x).slice(1, 0, 2))).toBe(0);
});

test('one channel without k is the sign', async () => {
  const module = new LocalResponseNorm({ size: 1, alpha: 1, k: 0, beta: 0.5 });
  expect(await relativeError(module.forward(tensor([[3, -0.1]])), [1, -1])).toBeLessThan(1e-6);
});

test('[N, C] has no positions', () => {
  expect(() => new LocalResponseNorm({ window: 'positions' }).forward(ramp)).toThrowErrorMatchingInlineSnapshot(`[UserError: LocalResponseNorm: [N, C] has no positions — use window: 'channels']`);
});
