// Losses of classifiers: values by hand, gradients that are finite, one loss a sample.
import { grad, readAll, tensor } from '@athanor/core';
import { Registry } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { expect, test } from 'vitest';
import lab from '../plugin.ts';

const registry = new Registry([lab]);
const { log, exp } = Math;
const logits = tensor([[log(2), 0, 0], [0, 3, 0]]);
const labels = tensor([0, 2]).to('int32');
const sigmoid = (x: number) => 1 / (1 + exp(-x));
const p = [0.5, 1 / (2 + exp(3))] as const;

test.each<[ComponentRef, readonly number[]]>([
  ['cross-entropy', p.map((share) => -log(share))],
  [{ name: 'cross-entropy', labelSmoothing: 0.3 }, [0.8 * -log(0.5) + 0.2 * -log(0.25), 0.8 * -log(p[1]) + 0.1 * -log(p[1]) + 0.1 * -log(p[1] * exp(3))]],
  [{ name: 'focal', gamma: 2 }, p.map((share) => -log(share) * (1 - share) ** 2)],
  [{ name: 'focal', gamma: 0 }, p.map((share) => -log(share))],
  ['multi-margin', [(2 * (1 - log(2))) / 3, (1 + 4) / 3]],
  [{ name: 'multi-margin', margin: 2, p: 2 }, [(2 * (2 - log(2)) ** 2) / 3, (2 ** 2 + 5 ** 2) / 3]],
  ['squared', [(1 - log(2)) ** 2 / 3, (9 + 1) / 3]],
  [{ name: 'squared', labelSmoothing: 0.3 }, [((0.8 - log(2)) ** 2 + 0.02) / 3, (0.01 + 2.9 ** 2 + 0.64) / 3]],
  ['binary-cross-entropy', [(-log(sigmoid(log(2))) - 2 * log(0.5)) / 3, (-2 * log(0.5) - log(1 - sigmoid(3))) / 3]],
])('%j', async (ref, expected) => {
  const losses = registry.make('loss', ref)(logits, labels);
  const [values, slopes] = await readAll([losses, ...grad(losses.sum(), [logits])]);
  expect(Array.from(values ?? [])).toEqual(expected.map((value) => expect.closeTo(value, 5)));
  expect(Array.from(slopes ?? []).every(Number.isFinite)).toBe(true);
});

test('sure answers have finite gradients', async () => {
  const sure = tensor([[100, 0, 0]]);
  for (const { component } of registry.list('loss')) {
    for (const label of [0, 1]) {
      const loss = registry.make('loss', component.name)(sure, tensor([label]).to('int32')).sum();
      const [value, slopes] = await readAll([loss, ...grad(loss, [sure])]);
      const numbers = [...Array.from(value ?? []), ...Array.from(slopes ?? [])];
      expect([component.name, numbers.every(Number.isFinite)]).toEqual([component.name, true]);
    }
  }
});
