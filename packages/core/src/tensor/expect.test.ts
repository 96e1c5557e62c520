// Shapes as assertions.
import { expect, test } from 'vitest';
import { zeros } from './create.ts';

test('expect checks numbers and names', () => {
  expect(zeros([4, 1, 28, 28]).expect('B C 28 28').shape).toEqual([4, 1, 28, 28]);
  expect(() => zeros([4, 3]).expect('N N')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: expect: shape [4, 3] is not "N N": N is 4, but axis 1 has size 3]`);
  expect(() => zeros([4, 3]).expect('N ... 4')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: expect: shape [4, 3] is not "N ... 4": axis 1 has size 3]`);
});
