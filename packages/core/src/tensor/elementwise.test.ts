// Pointwise methods: broadcasting, promotion, values.
import { expect, test } from 'vitest';
import { tensor, where } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();

test('broadcasts', async () => {
  expect(await values(tensor([[1], [2]]).add(tensor([10, 20])))).toEqual([[11, 21], [12, 22]]);
  expect(() => tensor([1, 2]).add(tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: add: cannot broadcast [2] with [3] — sizes 2 and 3 of axis -1 must be equal, or one of them 1]`);
});

test('numbers take the dtype of the tensor unless they cannot', () => {
  const integers = tensor(new Int32Array([1, 2]));
  expect(integers.add(1).dtype).toBe('int32');
  expect(integers.add(0.5).dtype).toBe('float32');
  expect(integers.div(2).dtype).toBe('float32');
  expect(integers.gt(0).add(1).dtype).toBe('int32');
  expect(tensor(new Float64Array([1])).mul(0.1).dtype).toBe('float64');
  expect(tensor(new Uint8Array([1])).add(tensor(new Int8Array([1]))).dtype).toBe('int32');
  expect(integers.exp().dtype).toBe('float32');
  expect(integers.floor().dtype).toBe('int32');
});

test('division, remainder and powers', async () => {
  expect(await values(tensor([7, -7]).floorDivide(2))).toEqual([3, -4]);
  expect(await values(tensor([7, -7]).remainder(3))).toEqual([1, 2]);
  expect(await values(tensor([7, -7], { dtype: 'int32' }).remainder(3))).toEqual([1, 2]);
  expect(await values(tensor([2, 3], { dtype: 'int32' }).pow(5))).toEqual([32, 243]);
  expect(await values(tensor([2, -3]).pow(3))).toEqual([8, -27]);
  expect(await values(tensor([4, 9]).pow(-0.5))).toEqual([0.5, expect.closeTo(1 / 3, 6)]);
  expect(await values(tensor([5]).rsub(1))).toEqual([-4]);
});

test('comparison, logic and selection', async () => {
  const x = tensor([1, 2, 3]);
  expect(await values(x.ge(2).and(x.lt(3)))).toEqual([false, true, false]);
  expect(await values(where(x.gt(1), x, -1))).toEqual([-1, 2, 3]);
  expect(await values(x.maskedFill(x.eq(2), 0))).toEqual([1, 0, 3]);
  expect(await values(x.clamp(1.5, 2.5))).toEqual([1.5, 2, 2.5]);
  expect(await values(tensor([NaN, 1, Infinity]).isNaN())).toEqual([true, false, false]);
  expect(await values(tensor([NaN, 1, -Infinity]).isFinite())).toEqual([false, true, false]);
  expect(await values(tensor([-2, 0, 2]).sigmoid())).toEqual([-2, 0, 2].map((v) => expect.closeTo(1 / (1 + Math.exp(-v)), 6)));
});
