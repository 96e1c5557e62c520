// Schedules against PyTorch's learning rates, and the ones that PyTorch has in another form against their formulas.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Plateau } from './plateau.ts';
import * as schedules from './schedules.ts';

interface Golden {
  readonly schedule: string;
  readonly options: never;
  readonly factors: readonly number[];
  /** Of Plateau. */
  readonly metrics?: readonly number[];
}

const goldens = JSON.parse(readFileSync(new URL('../../../goldens/schedules.json', import.meta.url), 'utf8')) as Golden[];

/** The factors that ours gives, step by step. */
function factorsOf(name: string, { options, factors, metrics }: Golden): number[] {
  if (metrics !== undefined) {
    const plateau = new Plateau(options);
    return metrics.map((metric) => plateau.step(metric));
  }
  if (name === 'warmup') {
    const { rise, steps } = options as { rise: number; steps: number };
    return factors.map((_, at) => schedules.warmup(rise, schedules.cosine({ steps }))(at));
  }
  const make = new Map<string, unknown>(Object.entries(schedules)).get(name) as (of: never) => schedules.Schedule;
  return factors.map((_, at) => make(options)(at));
}

test.each(goldens.map((golden) => [golden.schedule, JSON.stringify(golden.options), golden] as const))('%s %s', (name, _, golden) => {
  expect(factorsOf(name, golden)).toEqual(golden.factors.map((factor) => expect.closeTo(factor, 10)));
});

test('warm-up rises into the schedule that follows', () => {
  const schedule = schedules.warmup(4, schedules.cosine({ steps: 10 }));
  expect([0, 1, 2, 3, 4].map(schedule)).toEqual([0.2, 0.4, 0.6, 0.8, 1].map((v) => expect.closeTo(v, 12)));
  expect(schedule(14)).toBeCloseTo(0, 12);
});

test('one cycle has its peak where it should, inverse square root too', () => {
  const cycle = schedules.oneCycle({ steps: 100 });
  expect([cycle(0), cycle(29), cycle(99)]).toEqual([0.04, 1, 4e-6].map((v) => expect.closeTo(v, 10)));
  expect(schedules.oneCycle({ steps: 10, rise: 0.1 })(0)).toBe(1);
  const root = schedules.inverseSquareRoot({ warmup: 10 });
  expect([root(9), root(39), root(4)]).toEqual([1, 0.5, 0.5].map((v) => expect.closeTo(v, 12)));
});

test('a step of no size is an error', () => {
  expect(() => schedules.step({ size: 0 })).toThrowErrorMatchingInlineSnapshot(`[UserError: step: a size of 0 — give at least 1]`);
});

test('a plateau goes on from its state', () => {
  const [whole, first, second] = [1, 1, 1].map(() => new Plateau({ patience: 1, factor: 0.5 })) as [Plateau, Plateau, Plateau];
  const metrics = [3, 2, 2, 2, 2, 1, 2, 2, 2];
  for (const metric of metrics) whole.step(metric);
  for (const metric of metrics.slice(0, 4)) first.step(metric);
  second.loadState(JSON.parse(JSON.stringify(first.state())) as ReturnType<Plateau['state']>);
  for (const metric of metrics.slice(4)) second.step(metric);
  expect([second.factor, second.state()]).toEqual([whole.factor, whole.state()]);
  expect(whole.factor).toBe(0.25);
  expect(() => new Plateau({ factor: 2 })).toThrowErrorMatchingInlineSnapshot(`[UserError: Plateau: a factor of 2 — give a number between 0 and 1]`);
});
