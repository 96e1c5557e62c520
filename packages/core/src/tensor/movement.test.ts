// Methods that move elements.
import { expect, test } from 'vitest';
import { arange, tensor, zeros } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();
const matrix = (): Tensor => arange(6).reshape(2, 3).to('float32');

test('reshape, permute, expand', async () => {
  expect(await values(matrix().reshape(3, -1))).toEqual([[0, 1], [2, 3], [4, 5]]);
  expect(await values(matrix().T)).toEqual([[0, 3], [1, 4], [2, 5]]);
  expect(await values(tensor([1, 2]).unsqueeze(1).expand(-1, 2))).toEqual([[1, 1], [2, 2]]);
  expect(matrix().unsqueeze(0).squeeze().shape).toEqual([2, 3]);
  expect(zeros([2, 3, 4, 5]).flatten(1, 2).shape).toEqual([2, 12, 5]);
  expect(zeros([2, 12]).unflatten(1, [3, -1]).shape).toEqual([2, 3, 4]);
  expect(zeros([2, 3, 4]).movedim(0, -1).shape).toEqual([3, 4, 2]);
});

test('split, chunk, unbind', async () => {
  expect((await Promise.all(arange(5).split(2).map(values)))).toEqual([[0, 1], [2, 3], [4]]);
  expect(arange(7).chunk(3).map(({ size }) => size)).toEqual([3, 3, 1]);
  expect(await values(matrix().unbind(1)[2] as Tensor)).toEqual([2, 5]);
  expect(() => arange(5).split([2, 2])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: split: parts [2, 2] do not add up to 5, axis 0 of [5]]`);
});

test('pad, flip, roll, repeat', async () => {
  expect(await values(tensor([1, 2, 3]).pad([1, -1], 9))).toEqual([9, 1, 2]);
  expect(await values(matrix().flip([0, 1]))).toEqual([[5, 4, 3], [2, 1, 0]]);
  expect(await values(arange(5).roll(2))).toEqual([3, 4, 0, 1, 2]);
  expect(await values(matrix().roll([-1, 1], [1, 0]))).toEqual([[4, 5, 3], [1, 2, 0]]);
  expect(await values(tensor([1, 2]).repeat(2, 2))).toEqual([[1, 2, 1, 2], [1, 2, 1, 2]]);
  expect(await values(tensor([1, 2]).repeatInterleave(2, 0))).toEqual([1, 1, 2, 2]);
  expect(await values(arange(5).unfold(0, 3, 2))).toEqual([[0, 1, 2], [2, 3, 4]]);
});
