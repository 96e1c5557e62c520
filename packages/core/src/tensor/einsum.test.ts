// einsum against products and sums written out.
import { expect, test } from 'vitest';
import { arange, ones, tensor, zeros } from './create.ts';
import { einsum } from './einsum.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();

test('einsum', async () => {
  const a = arange(6).reshape(2, 3).to('float32');
  const b = arange(12).reshape(3, 4).to('float32');
  const square = arange(9).reshape(3, 3).to('float32');
  expect(await values(einsum('ij,jk->ik', a, b))).toEqual(await values(a.matmul(b)));
  expect(await values(einsum('ij,jk', a, b))).toEqual(await values(a.matmul(b)));
  expect(await values(einsum('ij->ji', a))).toEqual(await values(a.T));
  expect(await einsum('ii', square).item()).toBe(12);
  expect(await values(einsum('ii->i', square))).toEqual([0, 4, 8]);
  expect(await values(einsum('ij->j', a))).toEqual([3, 5, 7]);
  expect(await values(einsum('ij,ij->i', a, a))).toEqual([5, 50]);
  expect(await values(einsum('i,j->ij', tensor([1, 2]), tensor([3, 4])))).toEqual([[3, 4], [6, 8]]);
  expect(await values(einsum('ij,jk,kl->il', a, b, ones([4, 2])))).toEqual([[98, 98], [296, 296]]);
  expect(einsum('...ij,...jk->...ik', zeros([5, 1, 2, 3]), zeros([4, 3, 6])).shape).toEqual([5, 4, 2, 6]);
  expect(await values(einsum('b i , b -> i', a, tensor([1, 10])))).toEqual([30, 41, 52]);
  expect(() => einsum('ij,jk->ik', a, a)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: einsum: axis "j" of "ij,jk->ik" has sizes 3 and 2 in [2, 3], [2, 3]]`);
  expect(() => einsum('ij->ik', a)).toThrowErrorMatchingInlineSnapshot(`[UserError: einsum: the output of "ij->ik" has an axis "k" of no operand]`);
});
