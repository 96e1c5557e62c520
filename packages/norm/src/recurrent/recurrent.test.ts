// Normalization in recurrent networks: without one they are PyTorch's cells; with one they equal loops written out;
// statistics and running statistics per step, padding, gradients, and how far gradients reach.
import { cpuBackend } from '@athanor/backend-cpu';
import { currentBackend, grad, random, readAll, setBackend, tensor, where, zeros, type Tensor } from '@athanor/core';
import { GRU, LSTM, Module, RNN, init, snapshot } from '@athanor/core/nn';
import { afterAll, describe, expect, it, test } from 'vitest';
import { moduleDerivativeError, normalNumbers, randomTensor, relativeError } from '../testing/numbers.ts';
import { NormalizedGRU, NormalizedLSTM, NormalizedRNN, type SequenceOptions } from './recurrent.ts';
import { LayerStepNorm, RecurrentBatchNorm, type StepNormFactory } from './step-norm.ts';

const dtype = 'float64';
const eps = 0.1;
const layer: StepNormFactory = (features, { bias }) => new LayerStepNorm(features, { eps, bias, dtype });
const batch: StepNormFactory = (features, { bias, steps }) => new RecurrentBatchNorm(features, { eps, bias, dtype, steps });
const reference = currentBackend();
afterAll(() => setBackend(reference));

describe('without a normalization', () => {
  const x = randomTensor([3, 4, 2], 1, { dtype: 'float32' });

  it.each([
    ['RNN', () => new NormalizedRNN(2, 5), () => new RNN(2, 5, { batchFirst: true, bias: false })],
    ['LSTM', () => new NormalizedLSTM(2, 5), () => new LSTM(2, 5, { batchFirst: true, bias: false })],
    ['GRU', () => new NormalizedGRU(2, 5), () => new GRU(2, 5, { batchFirst: true, bias: false })],
  ] as const)('%s is the plain one', async (_, make, makePlain) => {
    const [ours, plain] = [make(), makePlain()];
    const [cell] = plain.cells;
    ours.bias.assign(0);
    ours.weightIh.assign(cell?.weightIh.value ?? x);
    ours.weightHh.assign(cell?.weightHh.value ?? x);
    const expected = plain.forward(x);
    expect(await relativeError(ours.forward(x).output, expected.output)).toBeLessThan(1e-6);
    expect(await relativeError(ours.forward(x).h, expected.h.squeeze(0))).toBeLessThan(1e-6);
  });
});

/** Rows of numbers as an LSTM computes them, with a normalization of the rows of a batch. */
function lstmByHand(x: number[][][], weights: { ih: number[][]; hh: number[][]; bias: number[] }, normalized: (rows: number[][], which: 'input' | 'hidden' | 'cell') => number[][]): number[][][] {
  const width = weights.hh[0]?.length ?? 0;
  const times = (rows: number[][], matrix: number[][]): number[][] => rows.map((row) => matrix.map((line) => line.reduce((sum, w, i) => sum + w * (row[i] ?? 0), 0)));
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  let h = x.map(() => new Array<number>(width).fill(0));
  let c = h;
  const outputs: number[][][] = x.map(() => []);
  for (let t = 0; t < (x[0]?.length ?? 0); t++) {
    const given = normalized(times(x.map((sample) => sample[t] ?? []), weights.ih), 'input');
    const recalled = normalized(times(h, weights.hh), 'hidden');
    const gates = given.map((row, n) => row.map((value, j) => value + (recalled[n]?.[j] ?? 0) + (weights.bias[j] ?? 0)));
    const gate = (n: number, which: number, j: number): number => gates[n]?.[which * width + j] ?? NaN;
    c = c.map((row, n) => row.map((value, j) => sigmoid(gate(n, 1, j)) * value + sigmoid(gate(n, 0, j)) * Math.tanh(gate(n, 2, j))));
    const shown = normalized(c, 'cell');
    h = c.map((row, n) => row.map((_, j) => sigmoid(gate(n, 3, j)) * Math.tanh(shown[n]?.[j] ?? NaN)));
    h.forEach((row, n) => outputs[n]?.push(row));
  }
  return outputs;
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

function standardized(values: readonly number[], gain: number): number[] {
  const { mean, variance } = moments(values);
  return values.map((value) => (gain * (value - mean)) / Math.sqrt(variance + eps));
}

function transposed(rows: number[][]): number[][] {
  return (rows[0] ?? []).map((_, j) => rows.map((row) => row[j] ?? NaN));
}

async function byHand(module: NormalizedLSTM, x: Tensor, normalized: (rows: number[][]) => number[][]): Promise<number[]> {
  const weights = { ih: (await module.weightIh.value.toArray()) as number[][], hh: (await module.weightHh.value.toArray()) as number[][], bias: (await module.bias.value.toArray()) as number[] };
  return lstmByHand((await x.toArray()) as number[][][], weights, normalized).flat(2);
}

describe('LSTM', () => {
  const x = randomTensor([3, 4, 2], 2);

  it('with layer normalization equals loops', async () => {
    const module = new NormalizedLSTM(2, 3, { norm: layer, dtype });
    expect(await relativeError(module.forward(x).output, await byHand(module, x, (rows) => rows.map((row) => standardized(row, 1))))).toBeLessThan(1e-12);
  });

  it('with recurrent batch normalization equals loops, and keeps the statistics of each step', async () => {
    const module = new NormalizedLSTM(2, 3, { norm: batch, steps: 6, dtype });
    const seen: number[][] = [];
    const expected = await byHand(module, x, (rows) => {
      const columns = transposed(rows);
      if (columns.length === 3) seen.push(columns.map((column) => moments(column).variance));
      return transposed(columns.map((column) => standardized(column, 0.1)));
    });
    const { output } = module.forward(x);
    expect(await relativeError(output, expected)).toBeLessThan(1e-12);
    const { runningVar, longest } = module.cellNorm as RecurrentBatchNorm;
    const expectedRows = [...seen.map((row) => row.map((variance) => 0.99 + 0.01 * variance)), [1, 1, 1], [1, 1, 1]];
    expect(await relativeError(runningVar.value, expectedRows.flat())).toBeLessThan(1e-12);
    expect(await longest.value.item()).toBe(4);
  });
});

describe('recurrent batch normalization', () => {
  it('has a standard deviation of 0.1 at every step at the start', async () => {
    const y = new RecurrentBatchNorm(5, { steps: 3, dtype, eps: 0 }).forward(randomTensor([20, 3, 5], 3, { shift: 2, scale: 3 }));
    expect(await relativeError(y.std(0, { correction: 0 }), new Array<number>(15).fill(0.1))).toBeLessThan(1e-12);
  });

  it('gives steps beyond the longest training sequence the last one’s statistics', async () => {
    const norm = new RecurrentBatchNorm(2, { steps: 5, dtype, momentum: 1 });
    await norm.forward(randomTensor([8, 3, 2], 4, { shift: 1 })).data();
    norm.eval();
    const x = randomTensor([1, 1, 2], 5);
    const [, , third, fourth, last] = norm.forward(x.expand(1, 7, 2)).unbind(1);
    const [second] = norm.forward(x.expand(1, 7, 2)).narrow(1, 1, 1).unbind(1);
    expect(await relativeError(fourth ?? x, third ?? x)).toBe(0);
    expect(await relativeError(last ?? x, third ?? x)).toBe(0);
    expect(await relativeError(second ?? x, third ?? x)).toBeGreaterThan(0.01);
    const run = norm.begin(7);
    expect(await relativeError(run.step(x.squeeze(1), 6), last ?? x)).toBe(0);
  });

  it('refuses longer sequences in training, and batches of one', () => {
    const norm = new RecurrentBatchNorm(2, { steps: 2, dtype });
    expect(() => norm.forward(zeros([3, 3, 2], { dtype }))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: RecurrentBatchNorm of 2 steps: a training sequence of 3 — give \`steps\` the longest length]`);
    expect(() => norm.forward(zeros([1, 2, 2], { dtype }))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: RecurrentBatchNorm: [1, 2, 2] has one value per channel and step, whose variance is 0 — train with larger batches]`);
    expect(() => new NormalizedLSTM(2, 3).forward(zeros([4, 2]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: NormalizedLSTM: input [4, 2] is not [N, T, I] — give at least one step]`);
  });
});

type Recurrent = Module & { forward(x: Tensor, options?: SequenceOptions): { output: Tensor } };

/** A layer's outputs alone. */
class Outputs extends Module {
  readonly layer: Recurrent;

  constructor(module: Recurrent) {
    super();
    this.layer = module;
  }

  override forward(x: Tensor): Tensor {
    return this.layer.forward(x).output;
  }
}

const layers: [string, (norm: StepNormFactory) => Recurrent][] = [
  ['RNN of the sum', (norm) => new NormalizedRNN(2, 3, { norm, steps: 4, dtype })],
  ['RNN of each term', (norm) => new NormalizedRNN(2, 3, { norm, steps: 4, dtype, terms: 'apart' })],
  ['LSTM', (norm) => new NormalizedLSTM(2, 3, { norm, steps: 4, dtype })],
  ['GRU', (norm) => new NormalizedGRU(2, 3, { norm, steps: 4, dtype })],
];

describe.each(layers)('%s', (_, make) => {
  it.each([['layer', layer], ['recurrent batch', batch]] as const)('with %s normalization has the derivatives of finite differences', async (_name, norm) => {
    setBackend(cpuBackend());
    expect(await moduleDerivativeError(new Outputs(make(norm)), randomTensor([4, 4, 2], 6), 1e-6)).toBeLessThan(1e-7);
    setBackend(reference);
  });

  it.each([['layer', layer], ['recurrent batch', batch]] as const)('with %s normalization does not see padding', async (_name, norm) => {
    const module = make(norm);
    const mask = tensor([[true, true, true, true], [true, true, false, false], [true, true, true, false], [true, true, false, false]], { dtype: 'bool' });
    const x = randomTensor([4, 4, 2], 7);
    const padded = where(mask.unsqueeze(2), x, randomTensor([4, 4, 2], 8, { scale: 50 }));
    const state = await snapshot(module.stateDict());
    const results = async (input: Tensor): Promise<ArrayLike<number>[]> => {
      module.loadStateDict(state);
      const { output } = module.forward(input, { mask });
      const gradients = grad(output.square().sum(), module.parameters(), { allowUnused: true });
      return await readAll([output, ...gradients, ...module.buffers().map((buffer) => buffer.value)]);
    };
    const expected = await results(x);
    for (const [i, values] of (await results(padded)).entries()) expect(await relativeError(values, expected[i] ?? [])).toBeLessThan(1e-12);
    const { output } = module.forward(x, { mask });
    expect(await relativeError(output.narrow(0, 1, 1).narrow(1, 3, 1), output.narrow(0, 1, 1).narrow(1, 1, 1))).toBe(0);
  });
});

test('statistics of a step are those of the samples that still run', async () => {
  const norm = new RecurrentBatchNorm(2, { steps: 2, dtype, momentum: 1, gain: 1 });
  const x = randomTensor([5, 2, 2], 9);
  const mask = tensor([[true, true], [true, false], [true, true], [true, true], [true, false]], { dtype: 'bool' });
  await norm.forward(x, mask.unsqueeze(2)).data();
  const values = (await x.toArray()) as number[][][];
  const [first, second] = (await norm.runningMean.value.toArray()) as number[][];
  const means = (samples: readonly number[], step: number): number[] => [0, 1].map((channel) => moments(samples.map((n) => values[n]?.[step]?.[channel] ?? NaN)).mean);
  expect(await relativeError(first ?? [], means([0, 1, 2, 3, 4], 0))).toBeLessThan(1e-12);
  expect(await relativeError(second ?? [], means([0, 2, 3], 1))).toBeLessThan(1e-12);
});

test('gradients keep their length over 190 steps at γ = 0.1, and do not at γ = 1, where only the first step has an input', async () => {
  setBackend(cpuBackend());
  random.manualSeed(5);
  const [width, samples, steps] = [32, 32, 200];
  const weight = tensor(init.orthogonal()([width, width], dtype)(), { shape: [width, width], dtype });
  const ratio = async (gain: number): Promise<number> => {
    const norm = new RecurrentBatchNorm(width, { steps, gain, bias: false, dtype });
    const run = norm.begin(steps);
    const states: Tensor[] = [randomTensor([samples, width], 11, { scale: gain })];
    for (let t = 1; t < steps; t++) states.push(run.step((states.at(-1) ?? weight).matmul(weight.T), t).tanh());
    const cotangent = tensor(normalNumbers(samples * width, 12), { shape: [samples, width], dtype });
    const [early = weight, late = weight] = grad(states.at(-1) ?? weight, [states[steps - 191] ?? weight, states[steps - 2] ?? weight], { cotangent });
    const [a, b] = await readAll([early.norm(), late.norm()]);
    return (a?.[0] ?? NaN) / (b?.[0] ?? NaN);
  };
  const preserved = await ratio(0.1);
  expect(preserved).toBeGreaterThan(0.5);
  expect(preserved).toBeLessThan(3);
  const lost = await ratio(1);
  expect(Math.abs(Math.log10(lost))).toBeGreaterThan(2);
  setBackend(reference);
});
