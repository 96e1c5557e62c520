// Padding with the tensor's own elements: values by hand, integers, mistakes.
import { expect, test } from 'vitest';
import { arange, zeros } from './create.ts';

test('borders', async () => {
  const x = arange(4);
  expect(await x.pad([2, 1], 'reflect').toArray()).toEqual([2, 1, 0, 1, 2, 3, 2]);
  expect(await x.pad([2, 1], 'replicate').toArray()).toEqual([0, 0, 0, 1, 2, 3, 3]);
  expect(await x.pad([2, 1], 'circular').toArray()).toEqual([2, 3, 0, 1, 2, 3, 0]);
  expect(x.pad([2, 1], 'circular').dtype).toBe('int32');
  expect(await arange(4).reshape(2, 2).pad([1, 0, 0, 1], 'reflect').toArray()).toEqual([[1, 0, 1], [3, 2, 3], [1, 0, 1]]);
  expect(x.pad([0, 0], 'reflect').node).toBe(x.node);
});

test('mistakes', () => {
  const x = zeros([1, 2, 3]);
  expect(() => x.pad([3, 0], 'reflect')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pad: reflect padding [3, 0] for axis 2 of [1, 2, 3] — it holds elements for at most 2 on a side]`);
  expect(() => x.pad([0, 0, 0, 3], 'circular')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pad: circular padding [0, 3] for axis 1 of [1, 2, 3] — it holds elements for at most 2 on a side]`);
  expect(() => x.pad([-1, 0], 'replicate')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pad: replicate padding [-1, 0] is not whole and non-negative — slice to crop]`);
  expect(() => zeros([0]).pad([1, 0], 'replicate')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pad: replicate padding [1, 0] for axis 0 of [0] — it holds elements for at most 0 on a side]`);
  expect(() => x.pad([1, 1], 'mirror' as 'reflect')).toThrowErrorMatchingInlineSnapshot(`[UserError: pad: there is no mode "mirror" — use a number to fill with, or reflect, replicate, circular]`);
});
