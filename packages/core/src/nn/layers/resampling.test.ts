// Padding, resizing, shuffling, unpooling and other layers without parameters compute their functions.
import { expect, test } from 'vitest';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { randomNumbers } from '../../testing/evaluate.ts';
import { largestError } from '../../testing/goldens.ts';
import * as nn from '../index.ts';

const { functional } = nn;

function noise(...shape: number[]): Tensor {
  return tensor(Float32Array.from(randomNumbers(shape.reduce((a, b) => a * b, 1), 5)), { shape });
}

/** 0 where shapes and values are equal. */
async function difference(a: Tensor, b: Tensor): Promise<number> {
  return a.shape.join() === b.shape.join() ? largestError(await a.data(), await b.data()) : Infinity;
}

const inputs = { 1: noise(2, 4, 6), 2: noise(2, 4, 6, 4), 3: noise(1, 4, 4, 2, 6) };
const spatial: [nn.Module & { forward(x: Tensor): Tensor }, 1 | 2 | 3, (x: Tensor) => Tensor][] = [
  [new nn.ZeroPad1d(1), 1, (x) => x.pad([1, 1])],
  [new nn.ZeroPad2d([1, 2, 0, 3]), 2, (x) => x.pad([1, 2, 0, 3])],
  [new nn.ZeroPad3d(1), 3, (x) => x.pad([1, 1, 1, 1, 1, 1])],
  [new nn.ConstantPad1d([0, 2], 3), 1, (x) => x.pad([0, 2], 3)],
  [new nn.ConstantPad2d(1, -1), 2, (x) => x.pad([1, 1, 1, 1], -1)],
  [new nn.ConstantPad3d(1, 2), 3, (x) => x.pad([1, 1, 1, 1, 1, 1], 2)],
  [new nn.ReflectionPad1d(2), 1, (x) => x.pad([2, 2], 'reflect')],
  [new nn.ReflectionPad2d(1), 2, (x) => x.pad([1, 1, 1, 1], 'reflect')],
  [new nn.ReflectionPad3d(1), 3, (x) => x.pad([1, 1, 1, 1, 1, 1], 'reflect')],
  [new nn.ReplicationPad1d(2), 1, (x) => x.pad([2, 2], 'replicate')],
  [new nn.ReplicationPad2d([1, 0, 0, 2]), 2, (x) => x.pad([1, 0, 0, 2], 'replicate')],
  [new nn.ReplicationPad3d(1), 3, (x) => x.pad([1, 1, 1, 1, 1, 1], 'replicate')],
  [new nn.CircularPad1d(2), 1, (x) => x.pad([2, 2], 'circular')],
  [new nn.CircularPad2d(1), 2, (x) => x.pad([1, 1, 1, 1], 'circular')],
  [new nn.CircularPad3d(1), 3, (x) => x.pad([1, 1, 1, 1, 1, 1], 'circular')],
  [new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }), 2, (x) => functional.interpolate(x, { scaleFactor: 2, mode: 'bilinear' })],
  [new nn.Unfold(2), 2, (x) => functional.unfold(x, { kernel: 2 })],
  [new nn.PixelShuffle(2), 2, (x) => functional.pixelShuffle(x, 2)],
  [new nn.PixelUnshuffle(2), 2, (x) => functional.pixelUnshuffle(x, 2)],
  [new nn.ChannelShuffle(2), 2, (x) => functional.channelShuffle(x, 2)],
  [new nn.GlobalAvgPool(), 2, (x) => x.mean([2, 3])],
  [new nn.GlobalMaxPool({ keepdim: true }), 1, (x) => x.max(2, { keepdim: true })],
  [new nn.Unflatten(1, [2, -1]), 1, (x) => x.reshape(2, 2, 2, 6)],
  [new nn.Threshold(0.25, -3), 1, (x) => x.where(x.gt(0.25), -3)],
  [new nn.LPPool1d(2, 3), 1, (x) => functional.lpPool(x, { p: 2, kernel: 3 })],
  [new nn.LPPool2d(2, 2, { stride: 1 }), 2, (x) => functional.lpPool(x, { p: 2, kernel: 2, stride: 1 })],
  [new nn.LPPool3d(1, 2), 3, (x) => functional.lpPool(x, { p: 1, kernel: 2 })],
  [new nn.Conv2d(4, 2, 3, { padding: 1, paddingMode: 'circular', bias: false, weightInit: nn.init.ones() }), 2, (x) => functional.convolution(x.pad([1, 1, 1, 1], 'circular'), tensor(1).expand(2, 4, 3, 3))],
];
test.each(spatial.map(([layer, rank, f]) => [layer.constructor.name, layer, rank, f] as const))('%s', async (_, layer, rank, f) => {
  expect(await difference(layer.forward(inputs[rank]), f(inputs[rank]))).toBe(0);
});

test('Fold undoes the columns of Unfold where windows do not overlap', async () => {
  const fold = new nn.Fold([6, 4], 2, { stride: 2 });
  expect(await difference(fold.forward(new nn.Unfold(2, { stride: 2 }).forward(inputs[2])), inputs[2])).toBe(0);
});

test.each([[1, new nn.MaxUnpool1d(2)], [2, new nn.MaxUnpool2d(2)], [3, new nn.MaxUnpool3d(2)]] as const)('MaxUnpool%id puts the maxima back', async (rank, layer) => {
  const x = inputs[rank];
  const { values, indices } = functional.maxPoolWithIndices(x, { kernel: 2 });
  const back = layer.forward(values, indices);
  expect(back.shape).toEqual(x.shape);
  expect(await difference(back, x.where(back.ne(0), 0))).toBe(0);
  expect(await back.ne(0).sum().item()).toBe(values.size);
  expect(layer.forward(values, indices, x.shape.slice(2).map((size) => size + 1)).shape.slice(2)).toEqual(x.shape.slice(2).map((size) => size + 1));
});

test('layers refuse what does not fit', () => {
  expect(() => new nn.ReflectionPad2d([1, 1, 1])).toThrowErrorMatchingInlineSnapshot(`[UserError: ReflectionPad2d: 3 paddings — give one number, or 4]`);
  expect(() => new nn.ReflectionPad2d(1).forward(inputs[1])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: ReflectionPad2d: input [2, 4, 6] is not [N, C, size, size]]`);
  expect(() => new nn.Sequential(new nn.ReplicationPad1d(1), new nn.CircularPad1d(9)).forward(inputs[1])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pad (in module 1): circular padding [9, 9] for axis 2 of [2, 4, 8] — it holds elements for at most 8 on a side]`);
  expect(() => new nn.MaxUnpool2d(2).forward(inputs[1], inputs[1])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: MaxUnpool2d: input [2, 4, 6] is not [N, C, size, size]]`);
});
