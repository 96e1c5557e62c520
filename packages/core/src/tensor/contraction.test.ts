// Matrix products.
import { expect, test } from 'vitest';
import { arange, stack, tensor, zeros } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();

test('matmul in all its forms', async () => {
  const a = arange(6).reshape(2, 3).to('float32');
  const b = arange(12).reshape(3, 4).to('float32');
  expect(await values(a.matmul(b))).toEqual([[20, 23, 26, 29], [56, 68, 80, 92]]);
  expect(await values(a.matmul(tensor([1, 1, 1])))).toEqual([3, 12]);
  expect(await values(tensor([1, 1]).matmul(a))).toEqual([3, 5, 7]);
  expect(await tensor([1, 2]).dot(tensor([3, 4])).item()).toBe(11);
  expect(zeros([5, 2, 3]).matmul(b).shape).toEqual([5, 2, 4]);
  expect(a.matmul(zeros([5, 3, 4])).shape).toEqual([5, 2, 4]);
  expect(zeros([5, 1, 2, 3]).matmul(zeros([7, 3, 4])).shape).toEqual([5, 7, 2, 4]);
  expect(tensor([1, 2, 3]).matmul(zeros([5, 3, 4])).shape).toEqual([5, 4]);
  const stacked = stack([b, b.mul(2)]);
  expect(await values(a.matmul(stacked).at(1))).toEqual([[40, 46, 52, 58], [112, 136, 160, 184]]);
  expect(() => a.matmul(a)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: matmul: [2, 3] times [2, 3] — the last axis of the first must equal the last but one of the second]`);
  expect(await values(tensor(new Int8Array([100, 100])).dot(tensor(new Int8Array([100, 100]))))).toBe(20000);
});
