// Medians, steadiness, and what the stopwatch does with a step whose duration is known.
import { describe, expect, it } from 'vitest';
import { Stopwatch, isSteady, median } from './timing.ts';

/** A step that takes `milliseconds` and reads the number of the call. */
const busy = (milliseconds: number) => (i: number): number => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return i;
};

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9], 9.5],
    [[100, 1, 1], 1],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is no number', () => {
    expect(median([])).toBeNaN();
  });
});

describe('isSteady', () => {
  it('needs ten times, the last five as fast as the five before', () => {
    expect(isSteady([5, 5, 5, 5, 5, 5, 5, 5, 5])).toBe(false);
    expect(isSteady([5, 5, 5, 5, 5, 5, 5, 5, 5, 5])).toBe(true);
    expect(isSteady([9, 9, 9, 9, 9, 5, 5, 5, 5, 5])).toBe(false);
    expect(isSteady([9, 9, 5, 5, 5, 5, 5, 5, 99, 5])).toBe(true);
  });
});

describe('Stopwatch', () => {
  it('gives the steps growing numbers', async () => {
    const watch = new Stopwatch(busy(0));
    expect(await watch.values(3)).toEqual([0, 1, 2]);
    expect(await watch.values(2)).toEqual([3, 4]);
  });

  it('measures a step of two milliseconds', async () => {
    const watch = new Stopwatch(busy(2));
    expect(await watch.warm(0.03)).toBeGreaterThan(1.9);
    const samples = await watch.sample(0.05);
    expect(samples.length).toBeGreaterThan(2);
    expect(Math.min(...samples)).toBeGreaterThan(1.9);
  });

  it('repeats a step that is too short for the clock', async () => {
    let calls = 0;
    const watch = new Stopwatch(() => (calls += 1));
    const step = await watch.warm(0.02);
    const before = calls;
    const samples = await watch.sample(0.01);
    expect(step).toBeLessThan(0.05);
    expect(calls - before).toBeGreaterThan(10 * samples.length);
  });

  it('samples at least once, however long a step takes', async () => {
    const watch = new Stopwatch(busy(5));
    await watch.warm(0.001);
    expect(await watch.sample(0.0001)).toHaveLength(1);
  });
});
