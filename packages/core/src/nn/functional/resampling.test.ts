// Resizing, folding and unpooling: what goldens cannot hold. NaN stays where it is, integers, inverses, mistakes.
import { expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { arange, ones, tensor, zeros } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import * as functional from './index.ts';

const plane = (height: number, width: number): Tensor => arange(height * width).reshape(1, 1, height, width).to('float32');

test('resizing leaves NaN and infinities where they are', async () => {
  const x = tensor([1, 2, NaN, 4, Infinity, 6]).reshape(1, 1, -1);
  const resized = await functional.interpolate(x, { scaleFactor: 2, mode: 'linear' }).data();
  expect([...resized.slice(0, 3), ...resized.slice(-1)]).toEqual([1, 1.25, 1.75, 6]);
  expect(resized.slice(3, 10).some(Number.isFinite)).toBe(false);
  expect(await functional.interpolate(x, { size: 3 }).data()).toEqual(Float32Array.of(1, NaN, Infinity));
});

test('nearest works on integers', async () => {
  const x = arange(4).reshape(1, 1, 2, 2);
  const y = functional.interpolate(x, { scaleFactor: 2 });
  expect(y.dtype).toBe('int32');
  expect((await y.toArray() as unknown[][][])[0]?.[0]).toEqual([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]);
});

test('compiled calls give the same again', async () => {
  const resize = compile((x: Tensor) => functional.interpolate(x, { size: [3, 5], mode: 'bicubic' }));
  const plain = await functional.interpolate(plane(4, 4), { size: [3, 5], mode: 'bicubic' }).data();
  for (let call = 0; call < 3; call++) expect(await resize(plane(4, 4)).data()).toEqual(plain);
});

test('fold of unfold counts windows, shuffles undo each other', async () => {
  const x = plane(4, 5);
  const options = { kernel: 2, stride: 1, padding: 1 };
  const counted = functional.fold(functional.unfold(x, options), { ...options, outputSize: [4, 5] });
  expect(await counted.data()).toEqual(await x.mul(4).data());
  const channels = arange(24).reshape(1, 4, 2, 3);
  expect(await functional.pixelUnshuffle(functional.pixelShuffle(channels, 2), 2).data()).toEqual(await channels.data());
  expect(await functional.channelShuffle(functional.channelShuffle(channels, 2), 2).data()).toEqual(await channels.data());
});

test('unpooling puts maxima back, NaN too', async () => {
  const x = tensor([[1, NaN, 2, 0], [0, 0, 2, 2]]).reshape(1, 1, 2, 4);
  const { values, indices } = functional.maxPoolWithIndices(x, { kernel: 2 });
  expect(await indices.data()).toEqual(Int32Array.of(1, 2));
  expect(await functional.maxUnpool(values, indices, { kernel: 2 }).data()).toEqual(Float32Array.of(0, NaN, 2, 0, 0, 0, 0, 0));
  expect(functional.maxUnpool(values, indices, { kernel: 2, outputSize: [3, 5] }).shape).toEqual([1, 1, 3, 5]);
  const low = functional.maxPoolWithIndices(zeros([1, 1, 4]).sub(Infinity), { kernel: 3, stride: 1, padding: 1 });
  expect(await low.indices.data()).toEqual(Int32Array.of(0, 0, 1, 2));
});

test('mistakes are told in shapes', () => {
  const x = plane(4, 6);
  expect(() => functional.interpolate(x, {})).toThrowErrorMatchingInlineSnapshot(`[UserError: interpolate: needs either size or scaleFactor]`);
  expect(() => functional.interpolate(x, { size: 2, scaleFactor: 2 })).toThrowErrorMatchingInlineSnapshot(`[UserError: interpolate: needs either size or scaleFactor]`);
  expect(() => functional.interpolate(x, { size: [2, 2, 2] })).toThrowErrorMatchingInlineSnapshot(`[UserError: interpolate size: [2, 2, 2] names 3 axes — give one number, or 2]`);
  expect(() => functional.interpolate(x, { scaleFactor: 0.1 })).toThrowErrorMatchingInlineSnapshot(`[UserError: interpolate: from sizes [4, 6] to [0, 0] — sizes are whole numbers from 1]`);
  expect(() => functional.interpolate(x, { size: 2, mode: 'linear' })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: interpolate: input [1, 1, 4, 6] is not [N, C, size]]`);
  expect(() => functional.interpolate(x, { size: 2, alignCorners: true })).toThrowErrorMatchingInlineSnapshot(`[UserError: interpolate: mode nearest does not align corners — use a linear or cubic mode]`);
  expect(() => functional.interpolate(arange(4).reshape(1, 1, 4), { size: 2, mode: 'linear' })).toThrowErrorMatchingInlineSnapshot(`[DtypeError: interpolate: linear of dtype int32 — cast to float32 first]`);
  expect(() => functional.unfold(x, { kernel: 5 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: unfold: a kernel [5, 5] does not fit [1, 1, 4, 6]]`);
  expect(() => functional.fold(ones([1, 5, 6]), { kernel: 2, outputSize: [3, 4] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: fold: input [1, 5, 6] is not [N, C · 4, L]]`);
  expect(() => functional.fold(ones([1, 8, 5]), { kernel: 2, outputSize: [3, 4] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: fold: input [1, 8, 5] does not fold to [1, 2, 3, 4] — that unfolds to [1, 8, 6]]`);
  expect(() => functional.pixelShuffle(x, 2)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pixelShuffle: axis 1 of input [1, 1, 4, 6] does not divide by 4]`);
  expect(() => functional.channelShuffle(x, 2)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: channelShuffle: axis 1 of input [1, 1, 4, 6] does not divide by 2]`);
  expect(() => functional.maxUnpool(x, x.narrow(3, 0, 2), { kernel: 2 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: maxUnpool: values [1, 1, 4, 6] and indices [1, 1, 4, 2] differ — pass the indices that maxPoolWithIndices gave]`);
  expect(() => functional.lpPool(x, { kernel: 2, p: 0 })).toThrowErrorMatchingInlineSnapshot(`[UserError: lpPool: p is 0 — give a number above 0]`);
  expect(() => functional.convolution(x, ones([1, 1, 9, 9]), { padding: 4, paddingMode: 'reflect' })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pad: reflect padding [4, 4] for axis 2 of [1, 1, 4, 6] — it holds elements for at most 3 on a side]`);
});
