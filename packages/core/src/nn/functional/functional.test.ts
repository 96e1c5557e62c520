// Every function of nn.functional against PyTorch: values and gradients, in float64.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { grad } from '../../engine/differentiate.ts';
import { random } from '../../random/stream.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { largestError, unpack, type GoldenCase } from '../../testing/goldens.ts';
import * as functional from './index.ts';

/** Functions of one tensor and a few numbers, in order. */
const numbers: Record<string, readonly string[]> = {
  leakyRelu: ['slope'],
  elu: ['alpha'],
  celu: ['alpha'],
  softplus: ['beta', 'threshold'],
  hardtanh: ['low', 'high'],
  threshold: ['limit', 'value'],
  glu: ['axis'],
  softmax: ['axis'],
  softmin: ['axis'],
  logSoftmax: ['axis'],
  adaptiveAvgPool: ['output'],
  adaptiveMaxPool: ['output'],
  pixelShuffle: ['factor'],
  pixelUnshuffle: ['factor'],
  channelShuffle: ['groups'],
};

/** Functions whose tensors come first, options last; optional tensors stand among the options. */
const positional: Record<string, readonly string[]> = {
  prelu: ['x', 'slope'],
  linear: ['x', 'weight', 'bias'],
  embedding: ['indices', 'table'],
  convolution: ['x', 'weight'],
  convolutionTranspose: ['x', 'weight'],
  maxPool: ['x'],
  avgPool: ['x'],
  lpPool: ['x'],
  maxPoolWithIndices: ['x'],
  maxUnpool: ['x', 'indices'],
  interpolate: ['x'],
  unfold: ['x'],
  fold: ['x'],
  globalAvgPool: ['x'],
  globalMaxPool: ['x'],
  bilinear: ['x1', 'x2', 'weight', 'bias'],
  normalize: ['x'],
  cosineSimilarity: ['a', 'b'],
  pairwiseDistance: ['a', 'b'],
  cosineEmbeddingLoss: ['a', 'b', 'target'],
  marginRankingLoss: ['a', 'b', 'target'],
  tripletMarginLoss: ['a', 'b', 'c'],
  gaussianNllLoss: ['input', 'target', 'variance'],
  gelu: ['x'],
};

function call({ function: name, options: { part, ...options } }: GoldenCase, tensors: Record<string, Tensor>): Tensor {
  const named = new Map<string, unknown>(Object.entries(functional)).get(name);
  if (named === undefined) throw new Error(`there is no function ${name}`);
  const whole = named as (...inputs: unknown[]) => Tensor;
  const run = part === undefined ? whole : (...inputs: unknown[]) => (whole(...inputs) as unknown as Record<string, Tensor>)[String(part)] as Tensor;
  const scalars = numbers[name];
  if (scalars !== undefined) return run(tensors['x'], ...scalars.map((key) => options[key]));
  const first = positional[name] ?? ['x', 'input', 'target'].filter((key) => key in tensors);
  const others = Object.fromEntries(Object.entries(tensors).filter(([key]) => !first.includes(key)));
  const inputs = first.map((key) => tensors[key]);
  return Object.keys(options).length + Object.keys(others).length === 0 ? run(...inputs) : run(...inputs, { ...others, ...options });
}

/** PyTorch keeps some constants of these in float32. */
const tolerances: Record<string, number> = { hardsigmoid: 1e-7, hardswish: 1e-7, binaryCrossEntropy: 1e-8 };

const files = ['activations', 'layers', 'pooling', 'losses', 'resampling', 'margins'];
const cases = files.flatMap((file) => {
  const path = new URL(`../../../goldens/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as GoldenCase[];
});

test.each(cases.map((golden, i) => [`${golden.function} ${JSON.stringify(golden.options)} (${i})`, golden] as const))('%s', async (_, golden) => {
  const tensors = Object.fromEntries(Object.entries(golden.tensors).map(([name, packed]) => [name, unpack(packed)]));
  const output = call(golden, tensors);
  expect(output.shape).toEqual(golden.output.shape);
  expect(output.dtype).toBe(golden.output.dtype);
  const { gradients: expectedGradients = {}, cotangent } = golden;
  const wanted = Object.keys(expectedGradients).flatMap((name) => tensors[name] ?? []);
  const tolerance = tolerances[golden.function] ?? 1e-9;
  const gradients = cotangent === undefined ? [] : grad(output, wanted, { cotangent: unpack(cotangent), allowUnused: true });
  expect(largestError(await output.data(), golden.output.data)).toBeLessThan(tolerance);
  for (const [i, expected] of Object.values(expectedGradients).entries()) {
    expect(largestError((await gradients[i]?.data()) ?? [], expected.data)).toBeLessThan(tolerance);
  }
});

test('every function that differs from a tensor method has a golden, but for dropout', () => {
  const sequences = JSON.parse(readFileSync(new URL('../../../goldens/sequences.json', import.meta.url), 'utf8')) as GoldenCase[];
  const covered = new Set([...cases, ...sequences].map(({ function: name }) => name));
  expect(Object.keys(functional).filter((name) => !covered.has(name)).toSorted()).toEqual(['alphaDropout', 'channelDropout', 'dropout']);
});

test('alpha dropout keeps mean and variance', async () => {
  const x = random.stream('alpha').normal([20000]);
  const [mean, variance] = await Promise.all([functional.alphaDropout(x, { p: 0.3 }).mean().item(), functional.alphaDropout(x, { p: 0.3 }).var().item()]);
  expect([mean, variance]).toEqual([expect.closeTo(0, 1), expect.closeTo(1, 1)]);
  expect(functional.alphaDropout(x, { training: false })).toBe(x);
  expect(await functional.alphaDropout(x, { p: 1 }).abs().max().item()).toBe(0);
});

test('dropout: shares, scale, channels, evaluation', async () => {
  const x = tensor(new Float32Array(4000).fill(1), { shape: [40, 10, 10] });
  const kept = await functional.dropout(x, { p: 0.25 }).data();
  expect(new Set(kept)).toEqual(new Set([0, Math.fround(4 / 3)]));
  expect(kept.filter((value) => value === 0).length / 4000).toBeCloseTo(0.25, 1);
  const channels = await functional.channelDropout(x).data();
  for (let channel = 0; channel < 400; channel++) expect(new Set(channels.slice(channel * 10, channel * 10 + 10)).size).toBe(1);
  expect(functional.dropout(x, { training: false })).toBe(x);
  expect((await functional.dropout(x, { p: 1 }).data()).every((value) => value === 0)).toBe(true);
  expect(() => functional.dropout(x, { p: 1.5 })).toThrowErrorMatchingInlineSnapshot(`[UserError: dropout: p is 1.5 — give a share from 0 to 1]`);
});

test('mistakes are told in shapes', () => {
  const x = tensor([[1, 2, 3]]);
  expect(() => functional.linear(x, tensor([[1, 2]]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: linear: input [1, 3] and weight [out, in] [1, 2] do not fit — the input's last axis must have size 2]`);
  expect(() => functional.convolution(x, tensor([[[1]]]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: conv: input [1, 3] is not [N, C, …]]`);
  expect(() => functional.convolution(x.reshape(1, 1, 3), tensor([[[1, 1]]]), { stride: 2, padding: 'same' })).toThrowErrorMatchingInlineSnapshot(`[UserError: conv1d: padding "same" with stride [2] — give the padding in numbers]`);
  expect(() => functional.maxPool(x.reshape(1, 1, 3), { kernel: 2, padding: 2 })).toThrowErrorMatchingInlineSnapshot(`[UserError: maxPool: padding [2] is more than half of the kernel [2] — some windows would lie in the padding]`);
  expect(() => functional.maxPool(x.reshape(1, 1, 3), { kernel: 4 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: maxPool: a kernel [4] does not fit [1, 1, 3]]`);
  expect(() => functional.crossEntropy(x, tensor([1, 2], { dtype: 'int32' }))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: crossEntropy: input [1, 3] and class indices [2] do not fit — targets have the input's shape without axis 1]`);
  expect(() => functional.crossEntropy(x, tensor([true]))).toThrowErrorMatchingInlineSnapshot(`[DtypeError: crossEntropy: class indices of dtype bool — give integers, or probabilities of the input's shape]`);
  expect(() => functional.mseLoss(x, tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: mseLoss: input [1, 3] and target [3] differ — reshape one of them; losses do not broadcast]`);
  expect(() => functional.glu(x)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: glu: axis -1 of [1, 3] has an odd size]`);
  expect(() => functional.embedding(x, x)).toThrowErrorMatchingInlineSnapshot(`[DtypeError: embedding: indices of dtype float32 — give integers]`);
});
