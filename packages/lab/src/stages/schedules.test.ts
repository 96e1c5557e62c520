// Every schedule as a component: known points of the curve, the warm-up, and plateaus that go on from their state.
import { schedules as engine } from '@athanor/core/nn';
import { Registry } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { expect, test } from 'vitest';
import lab from '../plugin.ts';

const registry = new Registry([lab]);
const schedule = (ref: ComponentRef, steps = 100) => registry.make('schedule', ref, { steps });
const at = (ref: ComponentRef, ...steps: number[]) => steps.map((step) => schedule(ref)(step));

test.each([
  ['constant', [0, 50, 99], [1, 1, 1]],
  [{ name: 'constant', warmup: 3 }, [0, 1, 2, 3, 4], [0.25, 0.5, 0.75, 1, 1]],
  ['step', [0, 49, 50, 74, 75], [1, 1, 0.1, 0.1, 0.01]],
  [{ name: 'step', at: [0.9], factor: 0.5, warmup: 20 }, [0, 89, 90], [1 / 21, 1, 0.5]],
  [{ name: 'step', every: 10, factor: 0.5 }, [9, 10, 20], [1, 0.5, 0.25]],
  [{ name: 'exponential', end: 0.01 }, [0, 50, 100], [1, 0.1, 0.01]],
  ['linear', [0, 25, 100], [1, 0.75, 0]],
  [{ name: 'linear', start: 0.5, end: 1, warmup: 50 }, [50, 75, 100], [0.5, 0.75, 1]],
  [{ name: 'polynomial', power: 2 }, [0, 50, 100], [1, 0.25, 0]],
  ['cosine', [0, 50, 100], [1, 0.5, 0]],
  [{ name: 'cosine', floor: 0.2, warmup: 20 }, [20, 60, 100], [1, 0.6, 0.2]],
  ['one-cycle', [0, 29, 99], [1 / 25, 1, 1 / 25e4]],
  [{ name: 'inverse-square-root', warmup: 10 }, [4, 9, 39], [0.5, 1, 0.5]],
  ['plateau', [0, 99], [1, 1]],
] as const)('%j', (ref, steps, factors) => {
  expect(at(ref, ...steps)).toEqual(factors.map((factor) => expect.closeTo(factor, 12)));
});

test('every schedule of the engine can be named', () => {
  // Warm-up is an option of the others; multiStep and step are one.
  const own = Object.keys(engine).filter((name) => name !== 'warmup' && name !== 'multiStep');
  const words = own.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  expect(registry.list('schedule').map(({ component }) => component.name)).toEqual([...words, 'plateau'].toSorted());
});

test('no run is too short for a schedule', () => {
  for (const { component } of registry.list('schedule')) {
    for (const steps of [1, 2, 3, 10]) {
      const { name } = component;
      const factors = Array.from({ length: steps }, (_, step) => schedule(name === 'inverse-square-root' ? { name, warmup: 5 } : name, steps)(step));
      expect({ name, wrong: factors.filter((factor) => !(factor >= 0 && factor <= 1)) }).toEqual({ name, wrong: [] });
    }
  }
});

test('a plateau falls, and goes on from its state', () => {
  const ref = { name: 'plateau', metric: 'test.accuracy', patience: 1, factor: 0.5, warmup: 4 };
  const [whole, first, second] = [schedule(ref), schedule(ref), schedule(ref)];
  const values = [0.5, 0.6, 0.6, 0.6, 0.55, 0.5];
  const seen = values.map((value) => {
    whole.feedback?.observe(value);
    return whole(10);
  });
  expect(seen).toEqual([1, 1, 1, 0.5, 0.5, 0.25]);
  expect(whole.feedback?.metric).toBe('test.accuracy');
  for (const value of values.slice(0, 3)) first.feedback?.observe(value);
  second.feedback?.restore(JSON.parse(JSON.stringify(first.feedback?.state())));
  for (const value of values.slice(3)) second.feedback?.observe(value);
  expect(second(10)).toBe(0.25);
  expect(second(0)).toBe(0.05);
});

test('a plateau that has seen nothing yet survives JSON', () => {
  for (const metric of ['train.loss', 'test.accuracy']) {
    const [fresh, restored] = [schedule({ name: 'plateau', metric, patience: 0 }), schedule({ name: 'plateau', metric, patience: 0 })];
    restored.feedback?.restore(JSON.parse(JSON.stringify(fresh.feedback?.state())));
    restored.feedback?.observe(0.5);
    expect(restored(0)).toBe(1);
    restored.feedback?.observe(0.5);
    expect(restored(0)).toBe(0.1);
  }
});
