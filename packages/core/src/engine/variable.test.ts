// Variables, flushes and staleness.
import { afterEach, expect, test } from 'vitest';
import { tensor } from '../tensor/create.ts';
import { flush } from './flush.ts';
import { grad } from './differentiate.ts';
import { planCount } from './plans.ts';
import { currentBackend } from './state.ts';
import { type Variable, variable } from './variable.ts';

afterEach(() => {
  flush();
});

const vector = (...values: number[]): Variable => variable(new Float32Array(values), { shape: [values.length], dtype: 'float32', name: 'w' });

test('reads keep what they saw, later reads see what was assigned', async () => {
  const w = vector(1, 2);
  const before = w.value;
  w.assign(before.mul(10));
  const after = w.value;
  const sum = before.add(after);
  expect([...(await sum.data())]).toEqual([11, 22]);
  expect([...(await w.data())]).toEqual([10, 20]);
});

test('a tensor that was not computed in time is an error naming the read and the write', async () => {
  const w = vector(1, 2);
  const doubled = w.value.mul(2);
  w.assign(w.value.add(1));
  flush();
  await expect(doubled.data()).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: a tensor was not computed in time: it needs w [2] as it was when read outside of modules (version 0), but an assignment has overwritten it (version 1) — await its data() or realize() before the overwriting, or read the variable again]`);
});

test('gradients by hand descend', async () => {
  const w = vector(3, -2);
  for (let step = 0; step < 5; step++) {
    const loss = w.value.square().sum();
    const [slope] = grad(loss, [w]);
    if (slope !== undefined) w.assign(w.value.sub(slope.mul(0.1)));
    await loss.item();
  }
  expect((await w.data())[0]).toBeCloseTo(3 * 0.8 ** 5, 5);
});

test('the same computation compiles once', async () => {
  const run = async (): Promise<void> => {
    await tensor([1, 2, 3]).mul(2.5).sum().item();
  };
  await run();
  const { compiled } = planCount(currentBackend());
  await run();
  expect(planCount(currentBackend()).compiled).toBe(compiled);
});
