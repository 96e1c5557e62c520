// Order, counts and diagonals: NaN, dtypes and mistakes; the values themselves are held to PyTorch's.
import { expect, test } from 'vitest';
import { tensor, zeros } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();

test('medians and quantiles of NaN are NaN', async () => {
  const x = tensor([[3, NaN, 1], [3, 2, 1]]);
  expect(await values(x.median(1))).toEqual([NaN, 2]);
  expect(await values(x.quantile(0.25, 1))).toEqual([NaN, 1.5]);
});

test('whole numbers', async () => {
  const x = tensor([[4, 1, 3], [2, 2, 0]], { dtype: 'int32' });
  expect(await values(x.median(1))).toEqual([3, 2]);
  expect(await values(x.diff())).toEqual([[-3, 2], [0, -2]]);
  expect(await values(x.bincount(5))).toEqual([1, 1, 2, 1, 1]);
  await expect(x.bincount(4).data()).rejects.toThrow(/index|range/);
});

test('mistakes', () => {
  const x = zeros([2, 3]);
  expect(() => x.select(1, 3)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: select: position 3 is not in axis 1 of [2, 3]]`);
  expect(() => x.quantile(1.5)).toThrowErrorMatchingInlineSnapshot(`[UserError: quantile: q is 1.5 — give a share from 0 to 1]`);
  expect(() => x.diff(3)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: diff: 3 differences along axis -1 of [2, 3]]`);
  expect(() => zeros([2]).trace()).toThrowErrorMatchingInlineSnapshot(`[ShapeError: trace: [2] is not a matrix]`);
  expect(() => zeros([2, 2, 2]).diag()).toThrowErrorMatchingInlineSnapshot(`[ShapeError: diag: [2, 2, 2] is neither a vector nor a matrix]`);
  expect(() => zeros([0]).median()).toThrowErrorMatchingInlineSnapshot(`[ShapeError: median: axis 0 of [0] is empty]`);
  expect(() => x.indexAdd(0, tensor([0], { dtype: 'int32' }), x)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: indexAdd: index [1] and source [2, 3] do not fit along axis 0 — the index is a vector with one position per slice]`);
  expect(() => x.bincount(3)).toThrowErrorMatchingInlineSnapshot(`[DtypeError: bincount: an index of dtype float32 — cast it to int32]`);
});
