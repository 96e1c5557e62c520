// Every optimiser as a component: its defaults and options reach the engine's optimiser of that name.
import { readAll, tensor } from '@athanor/core';
import { Adagrad, Adam, AdamW, Lion, NAdam, Parameter, RMSprop, SGD } from '@athanor/core/nn';
import type { Optimizer } from '@athanor/core/nn';
import { Registry } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { expect, test } from 'vitest';
import lab from '../plugin.ts';

const registry = new Registry([lab]);

/** Three steps downhill on Σ w², and where they end. */
async function walk(make: (parameters: Parameter[]) => Optimizer): Promise<ArrayLike<number>> {
  const w = new Parameter({ name: 'w', shape: [3], initial: () => Float32Array.of(1, -2, 0.5) });
  w.known = true;
  const optimizer = make([w]);
  for (let step = 0; step < 3; step++) optimizer.step(w.value.mul(tensor([1, 2, 3])).square().sum());
  const [values] = await readAll([w.value]);
  return values ?? [];
}

const cases: readonly (readonly [ComponentRef, (parameters: Parameter[]) => Optimizer])[] = [
  ['sgd', (w) => new SGD(w, { lr: 0.1 })],
  [{ name: 'sgd', lr: 0.01, momentum: 0.9, dampening: 0.5, weightDecay: 0.1 }, (w) => new SGD(w, { lr: 0.01, momentum: 0.9, dampening: 0.5, weightDecay: 0.1 })],
  [{ name: 'sgd', lr: 0.01, momentum: 0.9, nesterov: true }, (w) => new SGD(w, { lr: 0.01, momentum: 0.9, nesterov: true })],
  ['adam', (w) => new Adam(w)],
  [{ name: 'adam', betas: [0.5, 0.6], eps: 0.1, weightDecay: 0.1 }, (w) => new Adam(w, { betas: [0.5, 0.6], eps: 0.1, weightDecay: 0.1 })],
  ['adamw', (w) => new AdamW(w)],
  ['nadam', (w) => new NAdam(w)],
  [{ name: 'nadam', momentumDecay: 0.1 }, (w) => new NAdam(w, { momentumDecay: 0.1 })],
  ['rmsprop', (w) => new RMSprop(w)],
  [{ name: 'rmsprop', centered: true, momentum: 0.5, alpha: 0.9 }, (w) => new RMSprop(w, { centered: true, momentum: 0.5, alpha: 0.9 })],
  ['adagrad', (w) => new Adagrad(w)],
  [{ name: 'adagrad', lrDecay: 0.1, initialAccumulatorValue: 1 }, (w) => new Adagrad(w, { lrDecay: 0.1, initialAccumulatorValue: 1 })],
  ['lion', (w) => new Lion(w)],
  [{ name: 'lion', lr: 0.1, weightDecay: 0.5 }, (w) => new Lion(w, { lr: 0.1, weightDecay: 0.5 })],
];

test.each(cases.map(([ref, direct]) => [JSON.stringify(ref), ref, direct] as const))('%s', async (_, ref, direct) => {
  const walked = await walk(registry.make('optimizer', ref));
  expect(Array.from(walked)).toEqual(Array.from(await walk(direct)));
  expect(Array.from(walked)).not.toEqual([1, -2, 0.5]);
});

test('every optimiser of the engine can be named', () => {
  const named = registry.list('optimizer').map(({ component }) => component.name);
  expect(named).toEqual([Adagrad, Adam, AdamW, Lion, NAdam, RMSprop, SGD].map(({ name }) => name.toLowerCase()).toSorted());
});

test('options that do not go together are mistakes', () => {
  const told = (config: object) => registry.resolve('optimizer', { name: 'sgd', ...config }).issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect([{ nesterov: true }, { dampening: 0.5 }, { momentum: 0.9, nesterov: true, dampening: 0.1 }].flatMap(told)).toMatchInlineSnapshot(`
    [
      "nesterov: needs a momentum above 0, such as momentum: 0.9",
      "dampening: does nothing without a momentum: set one above 0, or leave it out",
      "dampening: does not go with nesterov: leave one of the two out",
    ]
  `);
});
