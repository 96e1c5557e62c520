// Layer graphs and summaries.
import { expect, test } from 'vitest';
import { memory } from '../engine/scope.ts';
import { random } from '../random/stream.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Sequential } from './containers.ts';
import { Conv2d } from './layers/convolution.ts';
import { ReLU } from './layers/activation.ts';
import { Dropout } from './layers/dropout.ts';
import { Flatten, Linear } from './layers/linear.ts';
import { MaxPool2d } from './layers/pooling.ts';
import { Module } from './module.ts';
import { summary } from './summary.ts';
import { trace } from './trace.ts';

class Residual extends Module {
  readonly first = new Conv2d(8, 8, 3, { padding: 1 });
  readonly second = new Conv2d(8, 8, 3, { padding: 1 });

  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).relu()).add(x);
  }
}

const net = (): Sequential => new Sequential(new Conv2d(1, 8, 5), new MaxPool2d(2), new Residual(), new Dropout(0.5), new Flatten(), new Linear(8 * 12 * 12, 10), new ReLU());

test('calls, shapes, costs and where inputs come from', () => {
  const before = { memory: memory().allocations, draws: random.stream('dropout').counter.next };
  const { calls, parameters, macs } = trace(net(), [4, 1, 28, 28]);
  expect(memory().allocations).toBe(before.memory);
  expect(random.stream('dropout').counter.next).toBe(before.draws);
  const leaves = calls.filter(({ leaf }) => leaf);
  expect(leaves.map(({ path, kind }) => `${path} ${kind}`)).toEqual(['0 Conv2d', '1 MaxPool2d', '2.first Conv2d', '2.second Conv2d', '3 Dropout', '4 Flatten', '5 Linear', '6 ReLU']);
  const paths = (ids: readonly number[]): string[] => ids.map((id) => calls[id]?.path ?? 'input');
  expect(leaves.map(({ sources }) => paths(sources))).toEqual([['input'], ['0'], ['1'], ['2.first'], ['1', '2.second'], ['3'], ['4'], ['5']]);
  const conv = 4 * 8 * 24 * 24 * 25;
  const residual = 2 * 4 * 8 * 12 * 12 * 8 * 9;
  const linear = 4 * 10 * 8 * 12 * 12;
  expect(macs).toBe(conv + residual + linear);
  expect(calls.find(({ path }) => path === '2')).toMatchObject({ macs: residual, leaf: false, depth: 1 });
  expect(parameters).toBe(8 * 25 + 8 + 2 * (8 * 8 * 9 + 8) + 10 * 1152 + 10);
});

test('a module called twice has two calls and counts its parameters once', () => {
  class Twice extends Module {
    readonly layer = new Linear(3, 3);
    override forward(x: Tensor): Tensor {
      return this.layer.forward(this.layer.forward(x));
    }
  }
  const { calls, parameters, macs } = trace(new Twice(), [[2, 3]]);
  expect(calls.filter(({ leaf }) => leaf).map(({ macs: own, sources }) => [own, sources])).toEqual([[18, [-1]], [18, [0]]]);
  expect([parameters, macs]).toEqual([12, 36]);
});

test('summary', () => {
  expect(summary(net(), [4, 1, 28, 28])).toMatchInlineSnapshot(`
    "layer     kind       output          parameters       MACs
    0         Conv2d     [4, 8, 24, 24]         208    460,800
    1         MaxPool2d  [4, 8, 12, 12]           0          0
    2.first   Conv2d     [4, 8, 12, 12]         584    331,776
    2.second  Conv2d     [4, 8, 12, 12]         584    331,776
    3         Dropout    [4, 8, 12, 12]           0          0
    4         Flatten    [4, 1152]                0          0
    5         Linear     [4, 10]             11,530     46,080
    6         ReLU       [4, 10]                  0          0
    total                                    12,906  1,170,432"
  `);
});
