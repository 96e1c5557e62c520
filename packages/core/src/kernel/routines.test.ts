// The linear algebra routines: what they promise, checked on the matrices themselves.
import { expect, test } from 'vitest';
import { apply, cast } from '../graph/build.ts';
import { cholesky, dot, eigh, triangularSolve } from '../graph/combine.ts';
import { permute } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { evaluate, leaf, randomLeaf } from '../testing/evaluate.ts';

const multiply = (a: Node, b: Node): Node => dot(a, b, { batch: [[0, 0]], contract: [[2, 1]], combine: 'multiply-add' });
const transpose = (a: Node): Node => permute(a, [0, 2, 1]);
const symmetric = (size: number, seed: number): Node => {
  const a = randomLeaf([2, size, size], seed);
  return apply('add', a, transpose(a));
};
const distance = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? NaN))));
const identity = (size: number): number[] => Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0));

test.each([1, 2, 3, 7, 40])('eigh of size %i: A V = V Λ, V orthonormal, values ascend, signs fixed', (size) => {
  const a = symmetric(size, size);
  const [values, vectors] = [evaluate(eigh(a, 'values')), evaluate(eigh(a, 'vectors'))];
  const v = leaf(vectors, [2, size, size]);
  expect(distance(evaluate(multiply(a, v)), vectors.map((x, i) => x * (values[Math.floor(i / size ** 2) * size + (i % size)] ?? NaN)))).toBeLessThan(1e-12 * size);
  expect(distance(evaluate(multiply(transpose(v), v)), [...identity(size), ...identity(size)])).toBeLessThan(1e-13 * size);
  for (let matrix = 0; matrix < 2; matrix++) {
    const own = values.slice(matrix * size, (matrix + 1) * size);
    expect(own).toEqual(own.toSorted((x, y) => x - y));
    for (let column = 0; column < size; column++) {
      const vector = Array.from({ length: size }, (_, row) => vectors[(matrix * size + row) * size + column] ?? NaN);
      expect(Math.max(...vector)).toBeGreaterThanOrEqual(-Math.min(...vector));
    }
  }
});

test('eigh of diagonal, degenerate, graded and infinite matrices', () => {
  expect(evaluate(eigh(leaf([3, 0, 0, 0, 1, 0, 0, 0, 2], [3, 3]), 'values'))).toEqual([1, 2, 3]);
  expect(evaluate(eigh(leaf(identity(4), [4, 4]), 'vectors')).filter((x) => x === 1).length).toBe(4);
  expect(evaluate(eigh(leaf([0, 0, 0, 0], [2, 2]), 'values'))).toEqual([0, 0]);
  const graded = evaluate(eigh(leaf([1e12, 1e6, 1, 1e6, 2, 1e-6, 1, 1e-6, 1e-12], [3, 3]), 'values'));
  expect(graded.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1e12 + 2, 0);
  expect(evaluate(eigh(leaf([1, Infinity, Infinity, 1], [2, 2]), 'values'))).toEqual([NaN, NaN]);
});

test('cholesky: L Lᵀ = A, zeros above, NaN where A is not positive definite', () => {
  const a = randomLeaf([2, 5, 5], 8);
  const positive = apply('add', multiply(a, transpose(a)), leaf([...identity(5), ...identity(5)], [2, 5, 5]));
  const factor = cholesky(positive);
  expect(distance(evaluate(multiply(factor, transpose(factor))), evaluate(positive))).toBeLessThan(1e-13);
  expect(evaluate(factor)[1]).toBe(0);
  expect(evaluate(cholesky(leaf([1, 2, 2, 1], [2, 2])))).toEqual([1, 0, 2, NaN]);
});

test.each([true, false].flatMap((lower) => [true, false].flatMap((turned) => [true, false].map((unitDiagonal) => [lower, turned, unitDiagonal] as const))))(
  'triangularSolve with lower %s, transpose %s, unitDiagonal %s reads its triangle only',
  (lower, turned, unitDiagonal) => {
    const a = randomLeaf([2, 4, 4], 5, { shift: 2 });
    const b = randomLeaf([2, 4, 3], 6);
    const x = triangularSolve(a, b, { lower, transpose: turned, unitDiagonal });
    const triangle = leaf(
      evaluate(a).map((value, i) => {
        const [row, column] = [Math.floor(i / 4) % 4, i % 4];
        if (row === column) return unitDiagonal ? 1 : value;
        return column < row === lower ? value : 0;
      }),
      [2, 4, 4],
    );
    expect(distance(evaluate(multiply(turned ? transpose(triangle) : triangle, x)), evaluate(b))).toBeLessThan(1e-11);
  },
);

test('float32 results keep their graph dtype', () => {
  expect(eigh(cast(symmetric(3, 1), 'float32'), 'vectors').dtype).toBe('float32');
});
