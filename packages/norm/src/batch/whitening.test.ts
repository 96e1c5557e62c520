// Whitening: covariances become 1, gradients are those of finite differences, and Newton's steps converge and stay stable.
import { eigh, eye, grad, tensor, type Tensor } from '@athanor/core';
import { describe, expect, it, test } from 'vitest';
import { derivativeError, moduleDerivativeError, randomTensor, relativeError } from '../testing/numbers.ts';
import { DecorrelatedBatchNorm, IterNorm, inverseSquareRoot, newtonInverseSquareRoot, principalWhitening } from './whitening.ts';

const dtype = 'float64';

/** Correlated samples [N, C] or, moved, [N, C, H, W]. */
const mixed = (rows: number, channels: number): Tensor => randomTensor([rows, channels], 1).matmul(randomTensor([channels, channels], 2)).add(randomTensor([channels], 3));

function covariance(rows: Tensor): Tensor {
  const centred = rows.sub(rows.mean(0));
  return centred.T.matmul(centred).div(rows.shape[0] ?? 1);
}

const distance = async (a: Tensor, size: number): Promise<number> => (await a.sub(eye(size, size, { dtype })).norm(2).item()) / Math.sqrt(size);

describe('matrices', () => {
  const positive = covariance(mixed(40, 5));

  it('ZCA: symmetric, W S W = 1', async () => {
    const root = inverseSquareRoot(positive);
    expect(await distance(root.matmul(positive).matmul(root), 5)).toBeLessThan(1e-10);
    expect(await relativeError(root.T, root)).toBeLessThan(1e-14);
  });

  it('PCA: W S Wᵀ = 1, and ZCA turned', async () => {
    const white = principalWhitening(positive);
    expect(await distance(white.matmul(positive).matmul(white.T), 5)).toBeLessThan(1e-10);
    expect(await relativeError(eigh(positive).vectors.matmul(white), inverseSquareRoot(positive))).toBeLessThan(1e-12);
  });

  it('have the derivatives of finite differences', async () => {
    const symmetric = (f: (s: Tensor) => Tensor) => (s: Tensor) => f(s.add(s.T).mul(0.5));
    for (const f of [inverseSquareRoot, (s: Tensor) => newtonInverseSquareRoot(s, 5)]) {
      expect(await derivativeError(symmetric(f), [positive])).toBeLessThan(1e-7);
    }
  });

  it('ZCA of equal eigenvalues has a finite gradient: −½ of the symmetric part', async () => {
    const cotangent = randomTensor([3, 3], 4);
    const start = tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]], { dtype });
    const [gradient = start] = grad(inverseSquareRoot(start), [start], { cotangent });
    expect(await relativeError(gradient, cotangent.add(cotangent.T).mul(-0.25))).toBeLessThan(1e-14);
  });
});

/** ‖W S W − 1‖ / √16 after each number of steps, eigenvalues spread evenly in their logarithms. */
async function residuals(condition: number, steps: readonly number[]): Promise<number[]> {
  const { vectors } = eigh(covariance(mixed(60, 16)));
  const values = tensor(Float64Array.from({ length: 16 }, (_, i) => condition ** (i / 15)));
  const matrix = vectors.mul(values).matmul(vectors.T);
  return await Promise.all(
    steps.map(async (count) => {
      const root = newtonInverseSquareRoot(matrix, count);
      return await distance(root.matmul(matrix).matmul(root), 16);
    }),
  );
}

describe('Newton-Schulz', () => {
  it('comes nearer with each step up to 7', async () => {
    const found = await residuals(100, [1, 2, 3, 4, 5, 6, 7]);
    expect(found).toEqual(found.toSorted((a, b) => b - a));
    expect(found.at(4)).toBeGreaterThan(0.1);
  });

  it('stays converged, also for ill-conditioned matrices', async () => {
    for (const condition of [10, 1e3, 1e5]) for (const residual of await residuals(condition, [20, 30])) expect(residual).toBeLessThan(1e-9);
  });
});

describe('modules', () => {
  it('DBN: training output has covariance 1, per group of channels', async () => {
    const x = mixed(80, 6);
    const y = new DecorrelatedBatchNorm(6, { dtype, eps: 1e-14, groupSize: 3 }).forward(x);
    expect(await distance(covariance(y.slice(1, 0, 3)), 3)).toBeLessThan(1e-10);
    expect(await distance(covariance(y.slice(1, 3, 6)), 3)).toBeLessThan(1e-10);
    expect(await distance(covariance(y), 6)).toBeGreaterThan(0.01);
  });

  it('DBN leaves white input alone; IterNorm of many steps does the same as DBN', async () => {
    const once = new DecorrelatedBatchNorm(6, { dtype, eps: 1e-14 }).forward(mixed(80, 6));
    expect(await relativeError(new DecorrelatedBatchNorm(6, { dtype, eps: 1e-14 }).forward(once), once)).toBeLessThan(1e-10);
    expect(await relativeError(new IterNorm(6, { dtype, eps: 1e-14, iterations: 25 }).forward(mixed(80, 6)), once)).toBeLessThan(1e-9);
  });

  it.each([
    ['images', (x: Tensor) => x.reshape(10, 2, 4, 6).permute(0, 3, 1, 2), (y: Tensor) => y.permute(0, 2, 3, 1).reshape(80, 6)],
    ['sequences', (x: Tensor) => x.reshape(10, 8, 6), (y: Tensor) => y.reshape(80, 6)],
  ])('%s are rows of channels', async (_, fold, unfold) => {
    const rows = mixed(80, 6);
    const make = (): DecorrelatedBatchNorm => new DecorrelatedBatchNorm(6, { dtype });
    expect(await relativeError(unfold(make().forward(fold(rows))), make().forward(rows))).toBeLessThan(1e-12);
  });

  it('evaluate with running statistics', async () => {
    const x = mixed(80, 4);
    const module = new DecorrelatedBatchNorm(4, { dtype, momentum: 1, eps: 1e-5 });
    const trained = await module.forward(x).data();
    module.eval();
    expect(await relativeError(module.forward(x), trained)).toBeLessThan(1e-12);
    expect(await relativeError(module.forward(x.narrow(0, 0, 1)), trained.slice(0, 4))).toBeLessThan(1e-12);
  });

  it.each([
    ['DBN', () => new DecorrelatedBatchNorm(4, { dtype, eps: 0.01 })],
    ['PCA', () => new DecorrelatedBatchNorm(4, { dtype, eps: 0.01, method: 'pca' })],
    ['IterNorm', () => new IterNorm(4, { dtype, eps: 0.01, groupSize: 2 })],
  ])('%s has the derivatives of finite differences', async (_, make) => {
    expect(await moduleDerivativeError(make(), mixed(12, 4))).toBeLessThan(1e-7);
  });
});

test('groups that do not fit are refused', () => {
  expect(() => new IterNorm(6, { groupSize: 4 })).toThrowErrorMatchingInlineSnapshot(`[UserError: IterNorm: 6 channels do not split into groups of 4 — choose a divisor of 6]`);
});
