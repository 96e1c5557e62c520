// Loss layers with margins compute their functions, with their options.
import { expect, test } from 'vitest';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { randomNumbers } from '../../testing/evaluate.ts';
import * as nn from '../index.ts';

const { functional } = nn;
const noise = (seed: number): Tensor => tensor(Float32Array.from(randomNumbers(12, seed)), { shape: [4, 3] });
const [a, b, c] = [noise(1), noise(2), noise(3)];
const signs = b.sign();
const labels = tensor([0, 2, 1, 1], { dtype: 'int32' });
const lists = tensor([[0, 2, -1], [1, -1, 0], [2, 1, 0], [-1, 0, 0]], { dtype: 'int32' });

const cases: [nn.Module & { forward(...inputs: Tensor[]): Tensor }, Tensor[], Tensor][] = [
  [new nn.HingeEmbeddingLoss({ margin: 0.5 }), [a, signs], functional.hingeEmbeddingLoss(a, signs, { margin: 0.5 })],
  [new nn.MarginRankingLoss({ margin: 0.5 }), [a, b, signs], functional.marginRankingLoss(a, b, signs, { margin: 0.5 })],
  [new nn.SoftMarginLoss({ reduction: 'sum' }), [a, signs], functional.softMarginLoss(a, signs, { reduction: 'sum' })],
  [new nn.MultiMarginLoss({ p: 2 }), [a, labels], functional.multiMarginLoss(a, labels, { p: 2 })],
  [new nn.MultiLabelMarginLoss(), [a, lists], functional.multilabelMarginLoss(a, lists)],
  [new nn.MultiLabelSoftMarginLoss(), [a, b.sigmoid()], functional.multilabelSoftMarginLoss(a, b.sigmoid())],
  [new nn.CosineEmbeddingLoss({ margin: 0.1 }), [a, b, signs.at(':', 0)], functional.cosineEmbeddingLoss(a, b, signs.at(':', 0), { margin: 0.1 })],
  [new nn.TripletMarginLoss({ swap: true }), [a, b, c], functional.tripletMarginLoss(a, b, c, { swap: true })],
  [new nn.PoissonNLLLoss({ full: true }), [a, b.abs()], functional.poissonNllLoss(a, b.abs(), { full: true })],
  [new nn.GaussianNLLLoss(), [a, b, c.abs()], functional.gaussianNllLoss(a, b, c.abs())],
  [new nn.CosineSimilarity({ axis: 0 }), [a, b], functional.cosineSimilarity(a, b, { axis: 0 })],
  [new nn.PairwiseDistance({ p: 1 }), [a, b], functional.pairwiseDistance(a, b, { p: 1 })],
];

test.each(cases.map(([layer, inputs, expected]) => [layer.constructor.name, layer, inputs, expected] as const))('%s', async (_, layer, inputs, expected) => {
  expect(await layer.forward(...inputs).toArray()).toEqual(await expected.toArray());
});
