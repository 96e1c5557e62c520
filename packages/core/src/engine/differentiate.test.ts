// grad: targets, versions, cotangents, custom rules; compositions against finite differences.
import { describe, expect, test } from 'vitest';
import { cat, stack, tensor, where } from '../tensor/create.ts';
import { einsum } from '../tensor/einsum.ts';
import { readAll, type Tensor } from '../tensor/tensor.ts';
import { grad, withGradient } from './differentiate.ts';
import { variable, type Variable } from './variable.ts';

const vector = (...values: number[]): Tensor => tensor(Float64Array.from(values));
const weight = (): Variable => variable(Float64Array.of(1, 2), { shape: [2], dtype: 'float64', name: 'weight' });

test('several targets, one of them twice, one an intermediate value', async () => {
  const [x, w] = [vector(3, 4), weight()];
  const product = x.mul(w.value);
  const slopes = grad(product.square().sum(), [x, w, product, x]);
  const values = await readAll(slopes);
  expect(values.map((own) => [...own])).toEqual([[6, 32], [18, 64], [6, 16], [6, 32]]);
});

test('an intermediate reshape that is reshaped again', async () => {
  const rows = vector(1, 2, 3, 4).reshape([2, 2]);
  const [slope] = grad(rows.reshape([4]).square().sum(), [rows]);
  expect(await slope?.toArray()).toEqual([[2, 4], [6, 8]]);
});

test('a cotangent weighs the output', async () => {
  const x = vector(1, 2);
  const [slope = x] = grad(x.square(), [x], { cotangent: vector(10, 1) });
  expect(await slope.toArray()).toEqual([20, 4]);
});

test('the gradient is with respect to the version that was read', async () => {
  const w = weight();
  const loss = w.value.square().sum();
  w.assign(w.value.mul(100));
  const [slope = loss] = grad(loss, [w]);
  expect(await slope.toArray()).toEqual([2, 4]);
});

test('two versions are an error, unless the tensor is named', async () => {
  const w = weight();
  const first = w.value;
  w.assign(first.mul(2));
  const loss = first.sum().add(w.value.sum());
  expect(() => grad(loss, [w])).toThrowErrorMatchingInlineSnapshot(`[UserError: the gradient with respect to weight is ambiguous: the output reads it before and after an assignment — take the gradient with respect to the tensor that \`value\` gave]`);
  expect(await grad(loss, [first])[0]?.toArray()).toEqual([3, 3]);
});

test('unused targets and outputs that have no gradient are errors', async () => {
  const x = vector(1, 2);
  expect(() => grad(x.sum(), [weight()])).toThrowErrorMatchingInlineSnapshot(`[UserError: the output does not depend on weight — use it in the computation, leave it out, or allow zeros with { allowUnused: true }]`);
  expect(() => grad(x.sum(), [x, vector(1)])).toThrowErrorMatchingInlineSnapshot(`[UserError: the output does not depend on target 1 [1] — use it in the computation, leave it out, or allow zeros with { allowUnused: true }]`);
  expect(() => grad(x.detach().sum(), [x])).toThrow('does not depend');
  expect(() => grad(x.argmax(), [x])).toThrowErrorMatchingInlineSnapshot(`[DtypeError: the gradient of a tensor of dtype int32 — only floats have gradients]`);
  expect(() => grad(x.sum(), [x], { cotangent: x })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: a cotangent of shape [2] for an output of shape []]`);
  expect(await grad(x.sum(), [vector(1)], { allowUnused: true })[0]?.toArray()).toEqual([0]);
});

test('gradients after item() still reach everything; after realize() they start there', async () => {
  const x = vector(1, 2);
  const square = x.square();
  const loss = square.sum();
  await loss.item();
  expect(await grad(loss, [x])[0]?.toArray()).toEqual([2, 4]);
  await square.realize();
  expect(await grad(square.mul(3).sum(), [square])[0]?.toArray()).toEqual([3, 3]);
  expect(await grad(loss, [square])[0]?.toArray()).toEqual([1, 1]);
  expect(() => grad(square.sum(), [x])).toThrow('does not depend');
});

test('a straight-through estimator', async () => {
  const x = vector(0.2, 0.7);
  const rounded = withGradient(x.round(), [x], (cotangent) => [cotangent]);
  expect(await rounded.toArray()).toEqual([0, 1]);
  expect(await grad(rounded.mul(3).sum(), [x])[0]?.toArray()).toEqual([3, 3]);
});

const other = vector(0.3, -1.2, 2.1, 0.9);
const matrix = tensor(Float64Array.from({ length: 12 }, (_, i) => Math.sin(i)), { shape: [4, 3] });

const compositions: Record<string, (x: Tensor) => Tensor> = {
  cat: (x) => cat([x, other, x.mul(2)]).mul(vector(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
  stack: (x) => stack([x, other], 1).softmax(1),
  where: (x) => where(other.gt(0), x.exp(), x.square()),
  'var and std': (x) => x.var().add(x.std(0, { correction: 0 })),
  logsumexp: (x) => x.logsumexp(0),
  softmax: (x) => x.softmax(0).mul(other),
  logSoftmax: (x) => x.logSoftmax(0).mul(other),
  norm: (x) => x.norm().add(x.norm(3)).add(x.norm(1)),
  'max and min': (x) => x.max().mul(2).add(x.min()),
  clamp: (x) => x.clamp(-0.5, 0.9).square(),
  pow: (x) => x.abs().pow(2.5).add(x.pow(3)).add(x.pow(2)),
  indexing: (x) => x.at([1, undefined, 2]).mul(x.at(0)).add(x.at([undefined, undefined, -1]).at([0, 2])),
  'indexSelect and gather': (x) => x.indexSelect(0, tensor([3, 0, 3], { dtype: 'int32' })).mul(vector(1, 2, 3)),
  'pad, roll, flip, repeat': (x) => x.pad([1, -1]).roll(1).flip(0).repeat(2).mul(vector(1, 2, 3, 4, 5, 6, 7, 8)),
  'matmul and einsum': (x) => x.matmul(matrix).square().sum().add(einsum('i,ij,i->j', x, matrix, x).sum()),
  'triangles and diagonals': (x) => x.outer(x).tril().add(x.outer(other).triu(1)).diagonal().mul(other),
  'sorting': (x) => x.sort().values.mul(other).add(x.topk(4).values),
  'running sums': (x) => x.cumsum(0).mul(other).add(x.cumprod(0)),
  sigmoid: (x) => x.sigmoid().mul(other),
  'lerp, remainder, division': (x) => x.lerp(other, 0.3).add(x.remainder(0.6)).add(other.div(x)),
};

describe('compositions against central differences', () => {
  test.each(Object.entries(compositions))('%s', async (_, fn) => {
    const at = [0.7, -1.3, 0.4, 1.9];
    const x = vector(...at);
    const [slope = x] = grad(fn(x).sum(), [x]);
    const h = 1e-6;
    const shifted = at.flatMap((_value, i) => [h, -h].map((d) => fn(vector(...at.with(i, (at[i] ?? 0) + d))).sum()));
    const [found = [], ...values] = await readAll([slope, ...shifted]);
    at.forEach((_value, i) => {
      const numeric = ((values[2 * i]?.[0] ?? NaN) - (values[2 * i + 1]?.[0] ?? NaN)) / (2 * h);
      expect(found[i]).toBeCloseTo(numeric, 6);
    });
  });

  test('at 0, the gradient of the norm is 0', async () => {
    const x = vector(0, 0);
    expect(await grad(x.norm(), [x])[0]?.toArray()).toEqual([0, 0]);
    expect(await x.norm().item()).toBe(0);
  });
});
