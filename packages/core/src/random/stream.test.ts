// Random streams: reproducible, independent, and the same on the host.
import { beforeEach, expect, test } from 'vitest';
import { snapshot, loadState } from '../engine/statedict.ts';
import { random } from './stream.ts';

const mean = (values: Iterable<number>, of = (v: number): number => v): number => {
  const all = Array.from(values, of);
  return all.reduce((sum, v) => sum + v, 0) / all.length;
};

beforeEach(() => random.manualSeed(1));

test('a seed repeats all streams, draws differ, streams differ', async () => {
  const draw = async (): Promise<unknown[]> => {
    const stream = random.stream('a');
    return [await stream.uniform([3]).toArray(), await stream.uniform([3]).toArray(), await random.stream('b').uniform([3]).toArray()];
  };
  const first = await draw();
  random.manualSeed(1);
  expect(await draw()).toEqual(first);
  expect(new Set(first.map(String)).size).toBe(3);
  random.manualSeed(2);
  expect(await draw()).not.toEqual(first);
});

test('a draw that is computed late is what it was when it was drawn', async () => {
  const stream = random.stream('late');
  const [early, late] = [stream.uniform([4]), stream.uniform([4])];
  const lateValues = await late.data();
  await stream.uniform([4]).data();
  const earlyValues = await early.data();
  random.manualSeed(1);
  expect(await stream.uniform([4]).data()).toEqual(earlyValues);
  expect(await stream.uniform([4]).data()).toEqual(lateValues);
});

test('uniform numbers fill [0, 1), normal ones have mean 0 and variance 1', async () => {
  const u = await random.uniform([20_000]).data();
  expect(Math.min(...u)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...u)).toBeLessThan(1);
  expect(mean(u)).toBeCloseTo(0.5, 2);
  const z = await random.normal([20_000]).data();
  expect(mean(z)).toBeCloseTo(0, 1);
  expect(mean(z, (v) => v * v)).toBeCloseTo(1, 1);
  const wide = await random.uniform([1000], { dtype: 'float64' }).data();
  expect(new Set(wide).size).toBe(1000);
});

test('host draws have the values of device draws', async () => {
  const stream = random.stream('init');
  const host = [stream.hostUniform([5])(), stream.hostNormal([5])()];
  random.manualSeed(1);
  expect([...(await stream.uniform([5]).data())]).toEqual([...(host[0] ?? [])]);
  const normal = await stream.normal([5]).data();
  expect([...normal].map((v) => Math.abs(v))).toEqual([...(host[1] ?? [])].map((v) => expect.closeTo(Math.abs(v), 5)));
});

test('integers, bits and permutations', async () => {
  const integers = await random.integers(-2, 3, [1000]).data();
  expect(new Set(integers)).toEqual(new Set([-2, -1, 0, 1, 2]));
  expect([...(await random.permutation(50).data())].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  const heads = await random.stream('coin').bernoulli(0.25, [4000]).data();
  expect(mean(heads)).toBeCloseTo(0.25, 1);
  expect(() => random.integers(2, 2, [1])).toThrowErrorMatchingInlineSnapshot(`[UserError: integers: [2, 2) holds no whole number]`);
});

test('state saves and restores every stream', async () => {
  await random.uniform([3]).data();
  const saved = await snapshot(random.state());
  const next = await random.uniform([3]).data();
  loadState(random.state(), saved);
  expect(await random.uniform([3]).data()).toEqual(next);
  expect(Object.keys(saved)).toContain('random.default.counter');
  random.manualSeed(5);
  await random.stream('new').uniform([1]).data();
  random.loadState(saved);
  expect(await random.uniform([3]).data()).toEqual(next);
  expect(random.stream('new').counter.next).toBe(0);
  expect(() => random.loadState({ weight: saved['random.default.key'] ?? random.uniform([]) })).toThrowErrorMatchingInlineSnapshot(`[UserError: "weight" is not the state of a random stream — pass what random.state() gave]`);
});
