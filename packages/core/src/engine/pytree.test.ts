// Trees of arguments.
import { expect, test } from 'vitest';
import { tensor } from '../tensor/create.ts';
import { describeTree, mapTree, tensorsIn } from './pytree.ts';

const tree = { a: tensor([1]), list: [1, 'x', { flag: true, none: null }], gap: undefined };

test('mapping keeps the structure', () => {
  const numbers = mapTree(tree, (leaf) => (typeof leaf === 'number' ? leaf + 1 : leaf), 'it');
  expect(numbers).toEqual({ ...tree, list: [2, 'x', { flag: true, none: null }] });
  expect(tensorsIn([tree, tree]).map(({ shape }) => shape)).toEqual([[1], [1]]);
});

test('descriptions tell structures apart', () => {
  const text = (value: unknown): string => describeTree(value, String, 'it');
  expect(text([1, [2]])).not.toBe(text([1, 2]));
  expect(text({ a: 1 })).not.toBe(text({ b: 1 }));
  expect(text({ a: [1] })).toBe(text({ a: [1] }));
});

test('what cannot be passed is named', () => {
  expect(() => mapTree([new Map()], (leaf) => leaf, 'an argument')).toThrowErrorMatchingInlineSnapshot(`[UserError: an argument: a value of type Map cannot be passed — pass tensors, numbers, booleans and strings, in arrays and plain objects; use models and optimisers from outside]`);
  expect(() => describeTree(() => 1, String, 'an argument')).toThrowErrorMatchingInlineSnapshot(`[UserError: an argument: a value of type function cannot be passed — pass tensors, numbers, booleans and strings, in arrays and plain objects; use models and optimisers from outside]`);
});
