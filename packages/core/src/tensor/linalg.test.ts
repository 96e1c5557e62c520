// Factorisations put back together.
import { expect, test } from 'vitest';
import { tensor } from './create.ts';
import { cholesky, eigh, solveTriangular } from './linalg.ts';

const symmetric = tensor([[4, 1, 0.5], [1, 3, -1], [0.5, -1, 2]], { dtype: 'float64' });

test('eigh: V diag(λ) Vᵀ is the matrix, λ ascending', async () => {
  const { values, vectors } = eigh(symmetric);
  expect(await vectors.mul(values).matmul(vectors.T).sub(symmetric).abs().max().item()).toBeLessThan(1e-14);
  const [a = 0, b = 0, c = 0] = await values.data();
  expect(a < b && b < c).toBe(true);
});

test('cholesky and solveTriangular: L Lᵀ is the matrix, and Lᵀ X = L⁻¹ B solves it', async () => {
  const lower = cholesky(symmetric);
  expect(await lower.matmul(lower.T).sub(symmetric).abs().max().item()).toBeLessThan(1e-14);
  const right = tensor([[1], [2], [3]], { dtype: 'float64' });
  const solution = solveTriangular(lower, solveTriangular(lower, right), { transpose: true });
  expect(await symmetric.matmul(solution).sub(right).abs().max().item()).toBeLessThan(1e-14);
  const upper = solveTriangular(lower.T, right, { upper: true });
  expect(await lower.T.matmul(upper).sub(right).abs().max().item()).toBeLessThan(1e-14);
});
