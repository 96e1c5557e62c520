// Attention, recurrent and residual layers: parameters and their names, functions, modes, training compiled and plain.
import { expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { random } from '../../random/stream.ts';
import { tensor, zeros } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { randomNumbers } from '../../testing/evaluate.ts';
import { largestError } from '../../testing/goldens.ts';
import * as nn from '../index.ts';

const { functional } = nn;
const noise = (...shape: number[]): Tensor => tensor(Float32Array.from(randomNumbers(shape.reduce((a, b) => a * b, 1), 5)), { shape });
const shapes = (module: nn.Module): Record<string, readonly number[]> => Object.fromEntries(module.namedParameters().map(([name, { shape }]) => [name, shape]));

/** 0 where shapes and values are equal. */
async function difference(a: Tensor, b: Tensor): Promise<number> {
  return a.shape.join() === b.shape.join() ? largestError(await a.data(), await b.data()) : Infinity;
}

test('parameters by name and shape', () => {
  expect(shapes(new nn.MultiheadAttention(4, 2))).toEqual({ inProjWeight: [12, 4], inProjBias: [12], 'outProj.weight': [4, 4], 'outProj.bias': [4] });
  expect(shapes(new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 5, bias: false, addBiasKv: true }))).toEqual({
    qProjWeight: [4, 4],
    kProjWeight: [4, 3],
    vProjWeight: [4, 5],
    biasK: [1, 1, 4],
    biasV: [1, 1, 4],
    'outProj.weight': [4, 4],
  });
  expect(shapes(new nn.LSTM(3, 2, { bidirectional: true }))).toEqual({
    'cells.0.weightIh': [8, 3],
    'cells.0.weightHh': [8, 2],
    'cells.0.biasIh': [8],
    'cells.0.biasHh': [8],
    'cells.1.weightIh': [8, 3],
    'cells.1.weightHh': [8, 2],
    'cells.1.biasIh': [8],
    'cells.1.biasHh': [8],
  });
  expect(shapes(new nn.GRU(3, 2, { numLayers: 2, bias: false, bidirectional: true }))['cells.2.weightIh']).toEqual([6, 4]);
  expect(shapes(new nn.RNNCell(3, 2, { bias: false }))).toEqual({ weightIh: [2, 3], weightHh: [2, 2] });
  expect(shapes(new nn.Bilinear(3, 4, 2))).toEqual({ weight: [2, 3, 4], bias: [2] });
});

test('multi-head attention: defaults, batch first, the same as the function', async () => {
  const layer = new nn.MultiheadAttention(4, 2);
  const [x, y] = [noise(3, 2, 4), noise(5, 2, 4)];
  const weights = { inProjWeight: layer.inProjWeight?.value, inProjBias: layer.inProjBias?.value, outProjWeight: layer.outProj.weight.value, outProjBias: layer.outProj.bias?.value };
  const { output, weights: shares } = layer.forward(x, y);
  const expected = functional.multiHeadAttention(x, y, y, weights, { numHeads: 2 });
  expect(await difference(output, expected.output)).toBeLessThan(1e-6);
  expect(await difference(shares, expected.weights)).toBeLessThan(1e-6);
  expect(layer.forward(x, y, y, { averageAttnWeights: false }).weights.shape).toEqual([2, 2, 3, 5]);
  const other = new nn.MultiheadAttention(4, 2, { batchFirst: true });
  other.loadStateDict(layer.stateDict());
  const causal = { isCausal: true };
  expect(await difference(other.forward(x.transpose(0, 1), undefined, undefined, causal).output.transpose(0, 1), layer.forward(x, x, x, causal).output)).toBeLessThan(1e-6);
  const dropping = new nn.MultiheadAttention(4, 2, { dropout: 0.5 });
  expect(await difference(dropping.forward(x).output, dropping.forward(x).output)).toBeGreaterThan(0);
  dropping.eval();
  expect(await difference(dropping.forward(x).output, dropping.forward(x).output)).toBe(0);
});

test('sequences are their cells, step by step', async () => {
  const x = noise(4, 2, 3);
  const lstm = new nn.LSTM(3, 5);
  let state: nn.functional.LSTMState | undefined;
  for (const step of x.unbind(0)) state = lstm.cells[0]?.forward(step, state);
  const { output, h, c } = lstm.forward(x);
  expect(await difference(output.at(-1), h.at(0))).toBe(0);
  expect(await difference(h.at(0), state?.h ?? x)).toBeLessThan(1e-6);
  expect(await difference(c.at(0), state?.c ?? x)).toBeLessThan(1e-6);
  const gru = new nn.GRU(3, 5, { batchFirst: true });
  let hidden: Tensor | undefined;
  for (const step of x.unbind(1)) hidden = gru.cells[0]?.forward(step, hidden);
  expect(await difference(gru.forward(x).h.at(0), hidden ?? x)).toBeLessThan(1e-6);
  const rnn = new nn.RNN(3, 5, { nonlinearity: 'relu', bidirectional: true });
  let back: Tensor | undefined;
  for (const step of x.unbind(0).toReversed()) back = rnn.cells[1]?.forward(step, back);
  expect(await difference(rnn.forward(x).h.at(1), back ?? x)).toBeLessThan(1e-6);
});

test('dropout acts between layers, in training only', async () => {
  const layer = new nn.GRU(3, 8, { numLayers: 2, dropout: 0.9 });
  const x = noise(3, 2, 3);
  const plain = new nn.GRU(3, 8, { numLayers: 2 });
  plain.loadStateDict(layer.stateDict());
  expect(await difference(layer.forward(x).output, plain.forward(x).output)).toBeGreaterThan(0);
  expect(await difference(layer.eval().forward(x).output, plain.forward(x).output)).toBe(0);
});

class Reader extends nn.Module {
  readonly embed = new nn.Embedding(7, 4, { paddingIdx: 0 });
  readonly lstm = new nn.LSTM(4, 4, { batchFirst: true });
  readonly attention = new nn.MultiheadAttention(4, 2, { batchFirst: true });
  readonly head = new nn.Residual(new nn.Linear(4, 4));

  override forward(tokens: Tensor): Tensor {
    const { output } = this.lstm.forward(this.embed.forward(tokens));
    const mixed = this.attention.forward(output, output, output, { keyPaddingMask: tokens.eq(0), isCausal: true }).output;
    return this.head.forward(mixed).mean([1, 2]);
  }
}

test('training compiled equals training plain; padding rows stay zero; shapes may change', { timeout: 30_000 }, async () => {
  const train = async (wrap: (step: (tokens: Tensor) => Tensor) => (tokens: Tensor) => Tensor): Promise<number[]> => {
    random.manualSeed(4);
    const model = new Reader();
    const optimizer = new nn.Adam(model.parameters(), { lr: 0.05 });
    const step = wrap((tokens) => {
      const loss = model.forward(tokens).sub(tensor(1)).square().mean();
      optimizer.step(loss);
      return loss;
    });
    const losses: number[] = [];
    for (const length of [2, 2, 3, 2]) losses.push(await step(tensor(Int32Array.from({ length: 2 * length }, (_, i) => (i % length === length - 1 ? 0 : 1 + (i % 6))), { shape: [2, length] })).item());
    expect((await model.embed.weight.data()).slice(0, 4)).toEqual(new Float32Array(4));
    return losses;
  };
  const plain = await train((step) => step);
  expect(plain.every(Number.isFinite)).toBe(true);
  expect(plain[3]).toBeLessThan(plain[0] ?? 0);
  expect(await train((step) => compile(step, { name: 'step', checkEveryCall: true }))).toEqual(plain);
});

test('residual branches and shortcuts', async () => {
  const x = noise(2, 4);
  const body = new nn.Linear(4, 4);
  expect(await difference(new nn.Residual(body).forward(x), body.forward(x).add(x))).toBe(0);
  const shortcut = new nn.Linear(4, 3);
  const wide = new nn.Residual(new nn.Linear(4, 3), shortcut);
  expect(Object.keys(shapes(wide))).toEqual(['body.weight', 'body.bias', 'shortcut.weight', 'shortcut.bias']);
  expect(wide.forward(x).shape).toEqual([2, 3]);
});

test('mistakes', () => {
  expect(() => new nn.MultiheadAttention(5, 2)).toThrowErrorMatchingInlineSnapshot(`[UserError: MultiheadAttention: width 5 does not divide into 2 heads]`);
  expect(() => new nn.LSTM(2, 2, { numLayers: 0 })).toThrowErrorMatchingInlineSnapshot(`[UserError: LSTM: 0 layers — give a whole number from 1]`);
  expect(() => new nn.Embedding(3, 2, { paddingIdx: 3 })).toThrowErrorMatchingInlineSnapshot(`[UserError: Embedding: paddingIdx 3 is none of 3 rows]`);
  expect(() => new nn.Sequential(new nn.Identity(), new nn.Residual(new nn.Linear(4, 3))).forward(noise(2, 4))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: Residual (in module 1): the body gives [2, 3], the shortcut [2, 4] — give a shortcut that makes them equal]`);
  expect(() => new nn.GRU(3, 2).forward(zeros([4, 1, 2]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: linear: input [4, 1, 2] and weight [out, in] [6, 3] do not fit — the input's last axis must have size 3]`);
  expect(() => new nn.Bilinear(3, 4, 2).forward(zeros([1, 3]), zeros([1, 3]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: bilinear: inputs [1, 3] and [1, 3] and weight [out, in1, in2] [2, 3, 4] do not fit]`);
});
