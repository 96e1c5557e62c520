// What tensors do when somebody looks at them.
import { expect, test } from 'vitest';
import { planCount } from '../engine/plans.ts';
import { currentBackend } from '../engine/state.ts';
import { elementwise } from '../graph/elementwise.ts';
import { tensor, zeros } from './create.ts';
import { readAll, Tensor } from './tensor.ts';

test('every unary entry of the op table is a method', () => {
  const unary = Object.entries(elementwise).filter(([, { arity }]) => arity === 1);
  const x = tensor([1]);
  expect(unary.filter(([op]) => typeof Reflect.get(x, op) !== 'function')).toEqual([]);
  expect(x.exp()).toBeInstanceOf(Tensor);
});

test('methods compute nothing; reading does, once', async () => {
  const { compiled } = planCount(currentBackend());
  const x = tensor([1, 2]).mul(0.123).exp();
  expect(planCount(currentBackend()).compiled).toBe(compiled);
  const values = await x.data();
  expect(await x.data()).toEqual(values);
  expect(planCount(currentBackend()).compiled).toBe(compiled + 1);
});

test('data is a copy, tensors copy what they are made of', async () => {
  const source = Float32Array.of(1, 2);
  const x = tensor(source);
  source[0] = 100;
  const values = await x.data();
  values[1] = 100;
  expect(await x.toArray()).toEqual([1, 2]);
});

test('several tensors are computed in one run', async () => {
  const { compiled } = planCount(currentBackend());
  const x = tensor([1, 2]).mul(0.321);
  const [a, b] = await readAll([x.exp(), x.sum()]);
  expect([a?.length, b?.length]).toEqual([2, 1]);
  expect(planCount(currentBackend()).compiled).toBe(compiled + 1);
});

test('item needs one element; tensors are no numbers', async () => {
  await expect(zeros([2]).item()).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: item: shape [2] has 2 elements — use data()]`);
  const x: unknown = zeros([]);
  expect(() => (x as number) + 1).toThrowErrorMatchingInlineSnapshot(`[UserError: a tensor float32 [] is used as a number — use its methods (a.add(b), a.lt(b)), or await item()]`);
  expect(`${String(x)}`).toContain('Tensor float32 []');
});

test('empty tensors are possible', async () => {
  expect(await zeros([0, 3]).add(1).toArray()).toEqual([]);
  expect(await zeros([2, 0]).sum(1).toArray()).toEqual([0, 0]);
});
