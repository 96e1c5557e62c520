// LSUV: variances of 1 layer by layer, modes restored, and what it refuses.
import { expect, test } from 'vitest';
import { random } from '../random/stream.ts';
import { zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import * as nn from './index.ts';

class Net extends nn.Module {
  readonly last = new nn.Linear(3 * 36, 5);
  readonly first = new nn.Conv2d(2, 4, 3, { padding: 1 });
  readonly second = new nn.Conv2d(4, 3, 3, { padding: 1 });
  readonly drop = new nn.Dropout(0.5);
  readonly unused = new nn.Linear(2, 2);

  override forward(x: Tensor): Tensor {
    const features = this.second.forward(this.first.forward(x).relu()).relu();
    return this.last.forward(this.drop.forward(features.flatten(1)));
  }
}

test('each layer called gives outputs of variance 1, in the order of calls', async () => {
  random.manualSeed(1);
  const net = new Net();
  net.second.eval();
  const x = await random.normal([16, 2, 6, 6]).mul(3).realize();
  const report = await nn.lsuv(net, [x], { tolerance: 0.01 });
  expect(report.map(({ path }) => path)).toEqual(['first', 'second', 'last']);
  for (const { variance, iterations } of report) expect([Math.abs(variance - 1) < 0.01, iterations > 0 && iterations < 10]).toEqual([true, true]);
  expect([net.training, net.second.training, net.drop.training]).toEqual([true, false, true]);
  net.eval();
  expect(await net.forward(x).var(undefined, { correction: 0 }).item()).toBeCloseTo(1, 1);
});

test('layers may be chosen and weights kept', async () => {
  const net = new nn.Sequential(new nn.Linear(4, 4, { weightInit: nn.init.constant(2), bias: false }), new nn.Linear(4, 4));
  const before = await net.parameters()[1]?.data();
  const [only, ...others] = await nn.lsuv(net, [random.normal([32, 4])], { orthonormal: false, layers: (_, path) => path === '0' });
  expect([only?.path, others.length]).toEqual(['0', 0]);
  expect(new Set(await net.parameters()[0]?.data()).size).toBe(1);
  expect(await net.parameters()[1]?.data()).toEqual(before);
});

test('mistakes', async () => {
  await expect(nn.lsuv(new nn.ReLU(), [zeros([2, 2])])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: lsuv: the model has no layer with a weight of two axes or more]`);
  await expect(nn.lsuv(new nn.Sequential(new nn.Linear(2, 2, { bias: false })), [zeros([2, 2])])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: lsuv: the outputs of 0 have variance 0 — check the inputs and the layers before]`);
});
