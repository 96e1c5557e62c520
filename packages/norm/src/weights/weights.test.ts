// Reparametrizations: gradients against finite differences and closed forms, invariances, what they promise of weights.
import { eigh, flush, grad, random, readAll, tensor, type Tensor } from '@athanor/core';
import { Conv2d, Linear, ReLU, Sequential, Parameter, init, type Initializer, type TensorModule } from '@athanor/core/nn';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { moduleDerivativeError, randomTensor, relativeError } from '../testing/numbers.ts';
import { CosineNorm } from './cosine.ts';
import { computeWith, reparametrize, type ReparametrizedLayer, type WeightedLayer } from './layer.ts';
import { PropagatedActivation, PropagatedLayer, ScaledActivation, gaussianMoments } from './propagation.ts';
import { SpectralNorm } from './spectral.ts';
import { ScaledWeightStandardization, WeightStandardization } from './standardization.ts';
import { WeightNorm, initializeFromData } from './weight-norm.ts';

beforeEach(() => random.manualSeed(5));

/** The layer with parameters in float64. */
function float64<L extends WeightedLayer>(layer: L): L {
  const wide = (shape: readonly number[], initial: Initializer): Parameter => new Parameter({ shape, dtype: 'float64', initial: initial(shape, 'float64') });
  return Object.assign(layer, { weight: wide(layer.weight.shape, init.normal(0.3)), bias: wide(layer.bias?.shape ?? [], init.normal()) });
}

const linear = (): Linear => float64(new Linear(6, 3));
const conv = (): Conv2d => float64(new Conv2d(2, 4, 3, { padding: 1, stride: 2, groups: 2 }));
const [rows, images] = [randomTensor([5, 6], 1, { shift: 0.2 }), randomTensor([2, 2, 5, 4], 2, { shift: 0.2 })];

const methods: [string, (layer: WeightedLayer) => ReparametrizedLayer][] = [
  ['weight norm', (layer) => new WeightNorm(layer)],
  ['weight standardization', (layer) => new WeightStandardization(layer)],
  ['weight standardization as in timm', (layer) => new WeightStandardization(layer, { eps: 1e-6, placement: 'inside', unbiased: false })],
  ['scaled weight standardization', (layer) => new ScaledWeightStandardization(layer)],
  ['cosine', (layer) => new CosineNorm(layer, { gain: 'none' })],
  ['centred cosine with a learned gain', (layer) => new CosineNorm(layer, { centered: true, gain: 'learned' })],
  ['propagated', (layer) => new PropagatedLayer(layer)],
  ['spectral, in evaluation', (layer) => new SpectralNorm(layer).eval()],
];

describe.each(methods)('%s', (_, make) => {
  it('has the derivatives of finite differences on linear and convolutional layers', async () => {
    expect(await moduleDerivativeError(make(linear()), rows)).toBeLessThan(1e-7);
    expect(await moduleDerivativeError(make(conv()), images)).toBeLessThan(1e-7);
  });

  it('keeps the layer\'s shapes', () => {
    expect(make(linear()).forward(rows).shape).toEqual([5, 3]);
    expect(make(conv()).forward(images).shape).toEqual(conv().forward(images).shape);
  });
});

/** Sets a layer's raw weight. */
function setWeight(module: ReparametrizedLayer, change: (weight: Tensor) => Tensor): void {
  module.layer.weight.assign(change(module.layer.weight.value).to('float64'));
  flush();
}

describe('invariance to the raw weight', () => {
  const dtype = 'float64';
  const [scales, shifts] = [tensor([[2], [0.5], [8]], { dtype }), tensor([[1], [-1], [0.5]], { dtype })];
  const changes: [string, (layer: WeightedLayer) => ReparametrizedLayer, (w: Tensor) => Tensor][] = [
    ['weight norm: scale of each row', (layer) => new WeightNorm(layer, { init: 'unit' }), (w) => w.mul(scales)],
    ['weight standardization: scale and shift of each row', (layer) => new WeightStandardization(layer, { eps: 1e-12 }), (w) => w.mul(scales).add(shifts)],
    ['scaled weight standardization: scale and shift of each row', (layer) => new ScaledWeightStandardization(layer), (w) => w.mul(scales).add(shifts)],
    ['cosine: scale of each row', (layer) => new CosineNorm(layer), (w) => w.mul(scales)],
    ['centred cosine: scale and shift of each row', (layer) => new CosineNorm(layer, { centered: true }), (w) => w.mul(scales).add(shifts)],
    ['spectral: scale of the matrix', (layer) => new SpectralNorm(layer).eval(), (w) => w.mul(8)],
  ];

  it.each(changes)('%s', async (_, make, change) => {
    const module = make(linear());
    const before = await module.forward(rows).data();
    setWeight(module, change);
    expect(await relativeError(module.forward(rows), before)).toBeLessThan(1e-6);
  });

  it('dL/dv is orthogonal to v, and shrinks as v grows', async () => {
    const module = new WeightNorm(linear(), { init: 'unit' });
    const gradient = (): Tensor => grad(module.forward(rows).square().sum(), [module.layer.weight])[0] ?? rows;
    const { weight } = module.layer;
    const small = await gradient().data();
    expect(await gradient().mul(weight.value).sum(1).abs().max().item()).toBeLessThan(1e-6);
    setWeight(module, (w) => w.mul(4));
    expect(await relativeError(gradient().mul(4), small)).toBeLessThan(1e-6);
  });
});

describe('invariance to the input', () => {
  it('cosine: scale of each sample; centred also its shift, exactly', async () => {
    const [scales, shifts] = [tensor([[1], [2], [4], [0.5], [8]]), tensor([[1], [-3], [10], [0.1], [2]])];
    expect(await relativeError(new CosineNorm(linear()).forward(rows.mul(scales)), new CosineNorm(linear()).forward(rows))).toBeGreaterThan(0.01);
    const [plain, centred] = [new CosineNorm(linear()), new CosineNorm(linear(), { centered: true })];
    expect(await relativeError(plain.forward(rows.mul(scales)), plain.forward(rows))).toBeLessThan(1e-10);
    expect(await relativeError(centred.forward(rows.mul(scales).add(shifts)), centred.forward(rows))).toBeLessThan(1e-10);
    const images2 = randomTensor([3, 2, 5, 5], 3);
    const layer = new CosineNorm(new Conv2d(2, 4, 3), { centered: true });
    expect(await relativeError(layer.forward(images2.mul(3).add(7)), layer.forward(images2))).toBeLessThan(1e-10);
  });
});

describe('weights are what is promised', () => {
  it('weight norm: rows of length |g|; nothing changes at the start', async () => {
    const layer = conv();
    const plain = await computeWith(layer, images, layer.weight.value, layer.bias?.value).data();
    const module = new WeightNorm(layer);
    expect(await relativeError(module.forward(images), plain)).toBeLessThan(1e-6);
    module.scale.assign(Float32Array.of(1, -2, 3, 0.5));
    expect(await relativeError(module.weight().square().sum([1, 2, 3]).sqrt(), [1, 2, 3, 0.5])).toBeLessThan(1e-6);
  });

  it('weight standardization: mean 0, mean square (n − 1)/n; scaled: length 1', async () => {
    const standard = new WeightStandardization(conv()).weight();
    expect(await standard.mean([1, 2, 3]).abs().max().item()).toBeLessThan(1e-6);
    expect(await relativeError(standard.square().mean([1, 2, 3]), [8 / 9, 8 / 9, 8 / 9, 8 / 9])).toBeLessThan(1e-4);
    const scaled = new ScaledWeightStandardization(conv()).weight();
    expect(await relativeError(scaled.square().sum([1, 2, 3]), [1, 1, 1, 1])).toBeLessThan(1e-6);
  });

  it('cosine: bounded by 1, and 0 of a zero input with a zero gradient', async () => {
    const module = new CosineNorm(new Linear(6, 3, { bias: false }), { gain: 'none' });
    expect(await module.forward(rows).abs().max().item()).toBeLessThanOrEqual(1);
    const zero = rows.mul(0);
    expect(await module.forward(zero).abs().max().item()).toBe(0);
    const [dx = zero] = grad(module.forward(zero).sum(), [zero]);
    expect(await dx.abs().max().item()).toBe(0);
  });
});

describe('spectral normalization', () => {
  it('divides by the largest singular value once u and v have found it', async () => {
    const module = new SpectralNorm(linear(), { iterations: 100 });
    const w = module.layer.weight.value;
    const largest = eigh(w.matmul(w.T)).values.narrow(0, 2, 1).sqrt();
    expect(await relativeError(module.weight().mul(largest), w)).toBeLessThan(1e-6);
  });

  it('is never estimated above it', async () => {
    const module = new SpectralNorm(linear());
    const w = module.layer.weight.value;
    const largest = await eigh(w.matmul(w.T)).values.narrow(0, 2, 1).sqrt().item();
    const sigma = await w.norm().div(module.weight().norm()).item();
    expect(sigma).toBeLessThanOrEqual(largest * (1 + 1e-6));
  });

  it('moves u and v in training only', async () => {
    const module = new SpectralNorm(linear());
    const before = await module.u.data();
    await module.eval().forward(rows).data();
    expect(await module.u.data()).toEqual(before);
    await module.train().forward(rows).data();
    expect(await module.u.data()).not.toEqual(before);
  });

  it('a second forward before the gradient does not disturb the first', async () => {
    const module = new SpectralNorm(linear());
    const alone = new SpectralNorm(linear());
    alone.loadStateDict(module.stateDict());
    const [expected] = grad(alone.forward(rows).square().sum(), [alone.layer.weight]);
    const first = module.forward(rows).square().sum();
    module.forward(rows);
    const [gradient = rows] = grad(first, [module.layer.weight]);
    expect(await relativeError(gradient, expected ?? [])).toBeLessThan(1e-6);
  });
});

describe('data-dependent initialisation', () => {
  it('gives each layer outputs of mean 0 and variance 1, seen by the next', async () => {
    const model = new Sequential(new Linear(6, 8), new ReLU(), new Linear(8, 4));
    expect(reparametrize(model, (layer) => new WeightNorm(layer))).toEqual(['0', '2']);
    const x = randomTensor([64, 6], 9, { dtype: 'float32', shift: 1, scale: 3 });
    initializeFromData(model, x);
    let value: Tensor = x;
    for (const module of model as Iterable<TensorModule>) {
      value = module.forward(value);
      if (!(module instanceof WeightNorm)) continue;
      expect(await value.mean(0).abs().max().item()).toBeLessThan(1e-4);
      expect(await relativeError(value.var(0, { correction: 0 }), new Float32Array(value.shape[1] ?? 0).fill(1))).toBeLessThan(1e-4);
    }
  });
});

test('reparametrize wraps each plain layer once', () => {
  const model = new Sequential(new Conv2d(1, 2, 3), new Sequential(new ReLU(), new Linear(4, 4)));
  expect(reparametrize(model, (layer) => new SpectralNorm(layer), (path) => path === '0')).toEqual(['0']);
  expect(reparametrize(model, (layer) => new WeightNorm(layer))).toEqual(['1.1']);
  expect(reparametrize(model, (layer) => new WeightNorm(layer))).toEqual([]);
  expect(Object.keys(model.stateDict())).toEqual(['0.layer.weight', '0.layer.bias', '0.u', '0.v', '1.1.layer.weight', '1.1.layer.bias', '1.1.scale']);
});

describe('normalization propagation', () => {
  it('knows the moments of activations', () => {
    const { mean, std } = gaussianMoments((z) => Math.max(z, 0));
    expect([mean, std ** 2]).toEqual([expect.closeTo(1 / Math.sqrt(2 * Math.PI), 10), expect.closeTo(0.5 * (1 - 1 / Math.PI), 10)]);
    expect(1 / gaussianMoments(Math.tanh).std).toBeCloseTo(1.594, 2);
  });

  it('keeps means near 0 and deviations near 1 through six layers', async () => {
    let value: Tensor = randomTensor([256, 128], 11, { dtype: 'float32' });
    const moments: { mean: number; std: number }[] = [];
    for (let depth = 0; depth < 6; depth++) {
      const z = new PropagatedLayer(new Linear(128, 128, { weightInit: init.normal() })).forward(value);
      const [mean = [], std = []] = await readAll([z.mean(0).abs().mean(), z.std(0).mean()]);
      moments.push({ mean: mean[0] ?? NaN, std: std[0] ?? NaN });
      value = await new PropagatedActivation().forward(z).realize();
    }
    expect(moments.filter(({ mean, std }) => !(mean < 0.2 && std > 0.9 && std < 1.15))).toEqual([]);
  });
});

test('scaled activations pass on variance 1: the constants of normalizer-free networks', () => {
  const published = { relu: 1.7128585504, gelu: 1.7015043497, silu: 1.7881293297, tanh: 1.593911767, sigmoid: 4.8038353920, elu: 1.2716004848 } as const;
  for (const [name, gain] of Object.entries(published)) expect(new ScaledActivation(name as keyof typeof published).gain / gain).toBeCloseTo(1, 2);
  expect(new ScaledActivation('relu').gain).toBeCloseTo(Math.sqrt(2 / (1 - 1 / Math.PI)), 9);
});
