// Losses with margins and distances: zero vectors, float32 at large inputs, mistakes.
import { expect, test } from 'vitest';
import { grad } from '../../engine/differentiate.ts';
import { tensor, zeros } from '../../tensor/create.ts';
import * as functional from './index.ts';

test('zero vectors give no NaN', async () => {
  const [a, b] = [zeros([2, 3]), tensor([[1, 2, 2], [0, 0, 0]])];
  expect(await functional.cosineSimilarity(a, b).data()).toEqual(Float32Array.of(0, 0));
  expect(await functional.normalize(b).toArray()).toEqual([[1 / 3, 2 / 3, 2 / 3].map(Math.fround), [0, 0, 0]]);
  const loss = functional.cosineEmbeddingLoss(a, b, tensor([1, -1]));
  const [da] = grad(loss.add(functional.cosineSimilarity(a, b).sum()), [a]);
  expect((await da?.data())?.every(Number.isFinite)).toBe(true);
});

test('large logits do not overflow', async () => {
  const x = tensor([[-200, 200]]);
  expect(await functional.softMarginLoss(x, tensor([[1, 1]])).item()).toBe(100);
  expect(await functional.multilabelSoftMarginLoss(x, tensor([[1, 0]])).item()).toBe(200);
});

test('mistakes are told in shapes', () => {
  const x = zeros([2, 3]);
  const labels = tensor([0, 1], { dtype: 'int32' });
  expect(() => functional.multiMarginLoss(x, x)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multiMarginLoss: input [2, 3] and target [2, 3] do not fit — inputs are [N, C] or [C], targets [N] or []]`);
  expect(() => functional.multiMarginLoss(x, labels, { p: 3 as 2 })).toThrowErrorMatchingInlineSnapshot(`[UserError: multiMarginLoss: p is 3 — give 1 or 2]`);
  expect(() => functional.multilabelMarginLoss(x, labels)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multilabelMarginLoss: input [2, 3] and target [2] do not fit — inputs are [N, C] or [C], targets the same]`);
  expect(() => functional.cosineEmbeddingLoss(x, x, x)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: cosineEmbeddingLoss: inputs [2, 3] and target [2, 3] do not fit — inputs are [N, D] and targets [N], or [D] and []]`);
  expect(() => functional.hingeEmbeddingLoss(x, labels)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: hingeEmbeddingLoss: input [2, 3] and target [2] differ — reshape one of them; losses do not broadcast]`);
  expect(() => functional.tripletMarginLoss(x, x, zeros([2, 4]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tripletMarginLoss: input [2, 3] and target [2, 4] differ — reshape one of them; losses do not broadcast]`);
  expect(() => functional.pairwiseDistance(x, zeros([2, 4]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: pairwiseDistance: cannot broadcast [2, 3] with [2, 4] — sizes 3 and 4 of axis -1 must be equal, or one of them 1]`);
});
