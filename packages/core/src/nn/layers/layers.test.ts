// Layers: parameters and their first values, names, modes, and that each computes its function.
import { expect, test } from 'vitest';
import { random } from '../../random/stream.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { largestError } from '../../testing/goldens.ts';
import { randomNumbers } from '../../testing/evaluate.ts';
import * as nn from '../index.ts';

const { functional } = nn;

function noise(...shape: number[]): Tensor {
  return tensor(Float32Array.from(randomNumbers(shape.reduce((a, b) => a * b, 1), 5), (x) => x * 2), { shape });
}

/** 0 where shapes and values are equal. */
async function difference(a: Tensor, b: Tensor): Promise<number> {
  return a.shape.join() === b.shape.join() ? largestError(await a.data(), await b.data()) : Infinity;
}

test('parameters: shapes, names, what bias: false leaves out', () => {
  const shapes = (module: nn.Module) => Object.fromEntries(module.namedParameters().map(([name, { shape }]) => [name, shape]));
  expect(shapes(new nn.Linear(3, 5))).toEqual({ weight: [5, 3], bias: [5] });
  expect(shapes(new nn.Linear(3, 5, { bias: false }))).toEqual({ weight: [5, 3] });
  expect(shapes(new nn.Conv2d(4, 6, [3, 5], { groups: 2 }))).toEqual({ weight: [6, 2, 3, 5], bias: [6] });
  expect(shapes(new nn.Conv1d(4, 6, 3, { bias: false }))).toEqual({ weight: [6, 4, 3] });
  expect(shapes(new nn.Conv3d(1, 2, 2))).toEqual({ weight: [2, 1, 2, 2, 2], bias: [2] });
  expect(shapes(new nn.ConvTranspose2d(4, 6, 3, { groups: 2 }))).toEqual({ weight: [4, 3, 3, 3], bias: [6] });
  expect(shapes(new nn.Embedding(10, 4))).toEqual({ weight: [10, 4] });
  expect(shapes(new nn.PReLU(3))).toEqual({ weight: [3] });
  expect(shapes(new nn.Sequential(new nn.ReLU(), new nn.MaxPool2d(2), new nn.Dropout(), new nn.Flatten(), new nn.Identity()))).toEqual({});
});

test('first values: PyTorch bounds, new for each layer, the same for the same seed', async () => {
  const make = async () => {
    random.manualSeed(3);
    const [a, b] = [new nn.Linear(400, 50), new nn.Linear(400, 50)];
    return [await a.weight.data(), await b.weight.data(), await b.bias?.data()] as const;
  };
  const [first, second, bias] = await make();
  for (const values of [first, second, bias ?? []]) {
    const largest = Math.max(...Array.from(values, Math.abs));
    expect(largest).toBeLessThanOrEqual(0.05);
    expect(largest).toBeGreaterThan(0.04);
  }
  expect(first).not.toEqual(second);
  expect(await make()).toEqual([first, second, bias]);
  const table = await new nn.Embedding(200, 50).weight.data();
  expect(Array.from(table).reduce((sum, x) => sum + x * x, 0) / table.length).toBeCloseTo(1, 1);
});

test('layers compute their functions', async () => {
  const image = noise(2, 4, 8, 8);
  const conv = new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, dilation: 2, groups: 2 });
  const { weight, bias } = conv;
  expect(await difference(conv.forward(image), functional.convolution(image, weight.value, { bias: bias?.value, stride: 2, padding: 1, dilation: 2, groups: 2 }))).toBe(0);
  const up = new nn.ConvTranspose2d(4, 2, 3, { stride: 2, outputPadding: 1 });
  expect(await difference(up.forward(image), functional.convolutionTranspose(image, up.weight.value, { bias: up.bias?.value, stride: 2, outputPadding: 1 }))).toBe(0);
  expect(await difference(new nn.MaxPool2d(3, { stride: 2, padding: 1 }).forward(image), functional.maxPool(image, { kernel: 3, stride: 2, padding: 1 }))).toBe(0);
  expect(await difference(new nn.AvgPool2d(2).forward(image), functional.avgPool(image, { kernel: 2 }))).toBe(0);
  expect(await difference(new nn.AdaptiveAvgPool2d(1).forward(image), image.mean([2, 3], { keepdim: true }))).toBe(0);
  expect(await difference(new nn.AdaptiveMaxPool2d(2).forward(image), functional.adaptiveMaxPool(image, 2))).toBe(0);
  expect(await difference(new nn.Flatten().forward(image), image.reshape(2, -1))).toBe(0);
  const signal = noise(2, 3, 9);
  expect(await difference(new nn.MaxPool1d(3).forward(signal), functional.maxPool(signal, { kernel: 3 }))).toBe(0);
  const volume = noise(1, 2, 4, 4, 4);
  expect(await difference(new nn.AvgPool3d(2).forward(volume), functional.avgPool(volume, { kernel: 2 }))).toBe(0);
  const prelu = new nn.PReLU(4);
  expect(await difference(prelu.forward(image), functional.leakyRelu(image, 0.25))).toBe(0);
  const linear = new nn.Linear(8, 3);
  expect(await difference(linear.forward(image), image.matmul(linear.weight.value.T).add(linear.bias?.value ?? 0))).toBe(0);
});

const activations: [nn.Module & { forward(x: Tensor): Tensor }, (x: Tensor) => Tensor][] = [
  [new nn.ReLU(), functional.relu],
  [new nn.ReLU6(), functional.relu6],
  [new nn.LeakyReLU(0.3), (x) => functional.leakyRelu(x, 0.3)],
  [new nn.ELU(0.5), (x) => functional.elu(x, 0.5)],
  [new nn.SELU(), functional.selu],
  [new nn.CELU(2), (x) => functional.celu(x, 2)],
  [new nn.GELU({ approximate: 'tanh' }), (x) => functional.gelu(x, { approximate: 'tanh' })],
  [new nn.Sigmoid(), functional.sigmoid],
  [new nn.LogSigmoid(), functional.logSigmoid],
  [new nn.SiLU(), functional.silu],
  [new nn.Mish(), functional.mish],
  [new nn.Softplus(2, 1), (x) => functional.softplus(x, 2, 1)],
  [new nn.Softsign(), functional.softsign],
  [new nn.Tanh(), functional.tanh],
  [new nn.Tanhshrink(), functional.tanhshrink],
  [new nn.Hardtanh(-0.5, 0.25), (x) => functional.hardtanh(x, -0.5, 0.25)],
  [new nn.Hardsigmoid(), functional.hardsigmoid],
  [new nn.Hardswish(), functional.hardswish],
  [new nn.Hardshrink(0.2), (x) => functional.hardshrink(x, 0.2)],
  [new nn.Softshrink(0.2), (x) => functional.softshrink(x, 0.2)],
  [new nn.Softmax(1), (x) => x.softmax(1)],
  [new nn.LogSoftmax(), (x) => x.logSoftmax(-1)],
  [new nn.Softmin(), (x) => functional.softmin(x, -1)],
  [new nn.GLU(), (x) => functional.glu(x)],
];
test.each(activations.map(([layer, f]) => [layer.constructor.name, layer, f] as const))('%s', async (_, layer, f) => {
  const x = noise(3, 4);
  expect(await difference(layer.forward(x), f(x))).toBe(0);
});

test('losses compute their functions', async () => {
  const [x, y] = [noise(4, 3), noise(4, 3).sigmoid()];
  const labels = tensor([0, 2, 1, 1], { dtype: 'int32' });
  expect(await difference(new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(x, labels), functional.crossEntropy(x, labels, { labelSmoothing: 0.1 }))).toBe(0);
  expect(await difference(new nn.NLLLoss().forward(x.logSoftmax(1), labels), functional.crossEntropy(x, labels))).toBe(0);
  expect(await difference(new nn.MSELoss({ reduction: 'sum' }).forward(x, y), functional.mseLoss(x, y, { reduction: 'sum' }))).toBe(0);
  expect(await difference(new nn.L1Loss().forward(x, y), functional.l1Loss(x, y))).toBe(0);
  expect(await difference(new nn.HuberLoss({ delta: 0.3 }).forward(x, y), functional.huberLoss(x, y, { delta: 0.3 }))).toBe(0);
  expect(await difference(new nn.SmoothL1Loss({ beta: 0.3 }).forward(x, y), functional.smoothL1Loss(x, y, { beta: 0.3 }))).toBe(0);
  expect(await difference(new nn.BCELoss().forward(y, y), functional.binaryCrossEntropy(y, y))).toBe(0);
  expect(await difference(new nn.BCEWithLogitsLoss().forward(x, y), functional.binaryCrossEntropyWithLogits(x, y))).toBe(0);
  expect(await difference(new nn.KLDivLoss({ reduction: 'batchmean' }).forward(x, y), functional.klDiv(x, y, { reduction: 'batchmean' }))).toBe(0);
});

test('dropout layers drop in training only', async () => {
  const x = noise(20, 10, 4);
  const alpha = new nn.AlphaDropout(0.5);
  expect(await difference(alpha.forward(x), alpha.forward(x))).toBeGreaterThan(0);
  expect(alpha.eval().forward(x)).toBe(x);
  for (const layer of [new nn.Dropout(0.5), new nn.ChannelDropout(0.5)]) {
    const values = await layer.forward(x).data();
    expect(values.filter((value) => value === 0).length / 800).toBeCloseTo(0.5, 0);
    expect(layer.eval().forward(x)).toBe(x);
  }
});

test('layers refuse inputs of another rank', () => {
  expect(() => new nn.Conv2d(1, 1, 1).forward(noise(1, 1, 3))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: conv2d: input [1, 1, 3] is not [N, C, size, size]]`);
  expect(() => new nn.MaxPool2d(1).forward(noise(1, 3))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: MaxPool2d: input [1, 3] is not [N, C, size, size]]`);
  expect(() => new nn.Conv2d(3, 4, 1, { groups: 2 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: Conv2d: 3 input and 4 output channels do not divide into 2 groups — both must be multiples of groups]`);
  expect(() => new nn.Conv2d(3, 4, [1, 2, 3])).toThrowErrorMatchingInlineSnapshot(`[UserError: Conv2d kernel: [1, 2, 3] names 3 axes — give one number, or 2]`);
});
