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

test('asking for what is lost does not cost what waits', async () => {
  const w = vector(1, 2);
  const lost = w.value.mul(2);
  w.assign(w.value.add(1));
  flush();
  w.assign(w.value.add(1));
  await expect(lost.data()).rejects.toThrow('not computed in time');
  expect([...(await w.data())]).toEqual([3, 4]);
});

test('arrays and numbers are copied, not computed; shapes and dtypes are checked', async () => {
  const w = vector(1, 2);
  const before = planCount(currentBackend()).compiled;
  w.assign(new Float32Array([5, 6]));
  expect([...(await w.data())]).toEqual([5, 6]);
  w.assign(7);
  flush();
  expect([...(await w.data())]).toEqual([7, 7]);
  expect(planCount(currentBackend()).compiled).toBeLessThanOrEqual(before + 1);
  expect(() => w.assign(tensor([1]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: w has shape [2]: a value of shape [1] cannot be assigned]`);
  expect(() => w.assign(tensor(new Float64Array(2)))).toThrowErrorMatchingInlineSnapshot(`[DtypeError: w is float32: a value of float64 cannot be assigned — use to('float32')]`);
  expect(() => w.assign(new Float32Array(3))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: w: 3 values do not fill shape [2]]`);
  w.dispose();
  expect(() => w.value).toThrowErrorMatchingInlineSnapshot(`[UserError: w float32 [2] is used after it was disposed of — return it from its scope, or dispose of it later]`);
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

test('a value that was assigned and read stands for the Variable after it has been written, too', async () => {
  const w = vector(0, 0);
  for (const assigned of [new Float32Array([2, 3]), tensor([1, 2]).mul(2)]) {
    w.assign(assigned);
    const loss = w.value.square().sum();
    await loss.item();
    const [gradient] = grad(loss, [w]);
    expect(await gradient?.data()).toEqual(new Float32Array(assigned instanceof Float32Array ? [4, 6] : [4, 8]));
  }
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
