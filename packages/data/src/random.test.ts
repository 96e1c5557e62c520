// Streams: pure functions of their key, unbiased integers, and moments of the distributions.
import { expect, test } from 'vitest';
import { RandomStream, streamKey } from './random.ts';
import { epochOrder, permutation } from './order.ts';

test('the first draws never change', () => {
  const random = new RandomStream(streamKey(42, 'order', 3));
  expect([random.bits(), random.bits(), random.bits()]).toMatchInlineSnapshot(`
    [
      761670088,
      4011746756,
      3090550222,
    ]
  `);
});

test('seeds, names and integers tell streams apart; large seeds count in full', () => {
  const keys = [
    streamKey(1, 'a'),
    streamKey(2, 'a'),
    streamKey(1, 'b'),
    streamKey(1, 'a', 0),
    streamKey(1, 'a', 1),
    streamKey(1, 'a', 0, 1),
    streamKey(1, 'a', 1, 0),
    streamKey(1 + 2 ** 32, 'a'),
  ];
  expect(new Set(keys.map(String)).size).toBe(keys.length);
  expect(() => streamKey(-1, 'a')).toThrow('a seed is an integer from 0 to 2^53 - 1, not -1');
});

test('integers are uniform (chi-squared, 7 classes)', () => {
  const random = new RandomStream(streamKey(0, 'uniform'));
  const counts = new Array<number>(7).fill(0);
  const draws = 70_000;
  for (let draw = 0; draw < draws; draw++) {
    const value = random.integer(7);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  const chiSquared = counts.reduce((sum, count) => sum + (count - draws / 7) ** 2 / (draws / 7), 0);
  expect(chiSquared).toBeLessThan(22.5);
});

test('normal, gamma and beta have their moments', () => {
  const random = new RandomStream(streamKey(0, 'moments'));
  const moments = (draw: () => number) => {
    const values = Array.from({ length: 40_000 }, draw);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
  };
  const near = (mean: number, variance: number) => ({
    mean: expect.closeTo(mean, 1),
    variance: expect.closeTo(variance, 1),
  });
  expect(moments(() => random.normal())).toEqual(near(0, 1));
  expect(moments(() => random.gamma(2.5))).toEqual(near(2.5, 2.5));
  expect(moments(() => random.gamma(0.5))).toEqual(near(0.5, 0.5));
  expect(moments(() => random.beta(0.4, 0.4))).toEqual({
    mean: expect.closeTo(0.5, 1),
    variance: expect.closeTo(0.25 / 1.8, 2),
  });
});

test('a permutation holds every index once, each place equally often', () => {
  expect(Array.from(permutation(100, [1, 2])).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, index) => index),
  );
  const counts = new Map<string, number>();
  for (let key = 0; key < 12_000; key++) {
    const order = permutation(3, [key, 9]).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(160);
});

test('an epoch has its own order, the same whenever it is asked for', () => {
  const order = (seed: number, epoch: number) => epochOrder(50, { seed, epoch, shuffle: true });
  expect(order(1, 4)).toEqual(order(1, 4));
  expect(order(1, 4)).not.toEqual(order(1, 5));
  expect(order(1, 4)).not.toEqual(order(2, 4));
  expect(epochOrder(3, { seed: 1, epoch: 0, shuffle: false })).toEqual(Int32Array.of(0, 1, 2));
});
