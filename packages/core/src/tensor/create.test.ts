// Tensors from host values, constants and ranges; joining.
import { expect, test } from 'vitest';
import { arange, cat, eye, linspace, ones, stack, tensor, zeros } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();
const matrix = (): Tensor => arange(6).reshape(2, 3).to('float32');

test('from nested arrays, typed arrays and numbers', async () => {
  expect(await values(tensor([[1, 2], [3, 4]]))).toEqual([[1, 2], [3, 4]]);
  expect(tensor(new Uint8Array([1, 2])).dtype).toBe('uint8');
  expect(await values(tensor([[true], [false]]))).toEqual([[true], [false]]);
  expect(await tensor(3).item()).toBe(3);
  expect(await values(tensor([300, -1, NaN], { dtype: 'uint8' }))).toEqual([255, 0, 0]);
});

test('ranges and constants', async () => {
  expect(await values(arange(5))).toEqual([0, 1, 2, 3, 4]);
  expect(await values(arange(5, 1, -2))).toEqual([5, 3]);
  expect(await values(arange(0, 1, 0.25))).toEqual([0, 0.25, 0.5, 0.75]);
  expect(await values(linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(await values(eye(2, 3))).toEqual([[1, 0, 0], [0, 1, 0]]);
  expect(await values(ones([2]).add(zeros([2, 1])))).toEqual([[1, 1], [1, 1]]);
});

test('ragged arrays and wrong lengths are errors', () => {
  expect(() => tensor([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tensor: the nested arrays are ragged: not every part has shape [2]]`);
  expect(() => tensor(new Float32Array(3), { shape: [2, 2] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tensor: 3 values do not fill shape [2, 2] — give 4 values]`);
});

test('cat and stack', async () => {
  expect(await values(cat([arange(2), arange(3), arange(1)]))).toEqual([0, 1, 0, 1, 2, 0]);
  expect(await values(cat([matrix(), matrix()], 1))).toEqual([[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]]);
  expect(await values(stack([arange(2), arange(2)], 1))).toEqual([[0, 0], [1, 1]]);
  expect(() => cat([zeros([2, 3]), zeros([3, 2])])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: cat: [2, 3] and [3, 2] cannot be joined along axis 0 — all other sizes must be equal]`);
});
