// Indexing, gather and scatter, sorting, triangles.
import { expect, test } from 'vitest';
import { arange, ones, tensor, zeros } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();
const matrix = (): Tensor => arange(6).reshape(2, 3).to('float32');

test('at', async () => {
  const x = arange(24).reshape(2, 3, 4);
  expect(await x.at(1, 2, 3).item()).toBe(23);
  expect(await values(x.at(0, [1, 3], -1))).toEqual([7, 11]);
  expect(await values(x.at('...', 0))).toEqual([[0, 4, 8], [12, 16, 20]]);
  expect(x.at(':', null, 0).shape).toEqual([2, 1, 4]);
  expect(await values(x.at(0, 0, [undefined, undefined, -1]))).toEqual([3, 2, 1, 0]);
  expect(await values(x.at(0, 0, [-2, undefined, -2]))).toEqual([2, 0]);
  expect(await values(x.at(0, tensor([[2, 0]], { dtype: 'int32' }), 0))).toEqual([[8, 0]]);
  expect(() => x.at(2)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: at: position 2 is not in axis 0 of [2, 3, 4]]`);
  expect(() => x.at(x.gt(3))).toThrowErrorMatchingInlineSnapshot(`[DtypeError: at: an index of dtype bool — the result would have no fixed shape: use where or maskedFill]`);
});

test('gather, scatterAdd, oneHot', async () => {
  const index = tensor([[2, 0], [1, 1]], { dtype: 'int32' });
  expect(await values(matrix().gather(1, index))).toEqual([[2, 0], [4, 4]]);
  expect(await values(zeros([2, 3]).scatterAdd(1, index, ones([2, 2])))).toEqual([[1, 0, 1], [0, 2, 0]]);
  expect(await values(matrix().indexSelect(1, tensor([2, 2], { dtype: 'int32' })))).toEqual([[2, 2], [5, 5]]);
  expect(await values(tensor([1, 0], { dtype: 'int32' }).oneHot(3))).toEqual([[0, 1, 0], [1, 0, 0]]);
});

test('sorting and triangles', async () => {
  const x = tensor([3, 1, 2]);
  const { values: sorted, indices } = x.sort();
  expect(await values(sorted)).toEqual([1, 2, 3]);
  expect(await values(indices)).toEqual([1, 2, 0]);
  expect(await values(x.topk(2).values)).toEqual([3, 2]);
  expect(await values(ones([3, 3]).tril(-1))).toEqual([[0, 0, 0], [1, 0, 0], [1, 1, 0]]);
  expect(await values(ones([2, 3]).triu(1))).toEqual([[0, 1, 1], [0, 0, 1]]);
  expect(await values(matrix().diagonal())).toEqual([0, 4]);
});
