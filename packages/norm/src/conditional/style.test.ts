// Scales and shifts from outside: style statistics, lookup and mixtures, identity at the start, independence of samples.
import { grad, tensor, type Tensor } from '@athanor/core';
import { Linear } from '@athanor/core/nn';
import { describe, expect, it } from 'vitest';
import { derivativeError, randomTensor, relativeError } from '../testing/numbers.ts';
import { ChannelLayerNorm, GroupNorm, InstanceNorm } from '../sample/sample.ts';
import { AdaptiveInstanceNorm, AdaptiveLayerNorm, AdaptiveLayerNormZero, ConditionalInstanceNorm, FilmGroupNorm, modulate } from './style.ts';

const dtype = 'float64';
const x = randomTensor([2, 4, 3, 5], 1);
const kept = { keepdim: true };

describe('adaptive instance normalization', () => {
  const style = randomTensor([2, 4, 6, 2], 2, { shift: 3, scale: 2 });

  it('gives the content the mean and standard deviation of the style', async () => {
    const y = new AdaptiveInstanceNorm({ eps: 1e-14 }).forward(x, style);
    expect(await relativeError(y.mean([2, 3]), style.mean([2, 3]))).toBeLessThan(1e-12);
    expect(await relativeError(y.std([2, 3]), style.std([2, 3]))).toBeLessThan(1e-12);
  });

  it('has gradients to both', async () => {
    expect(await derivativeError((content, wanted) => new AdaptiveInstanceNorm({ eps: 0.1 }).forward(content, wanted), [x, style])).toBeLessThan(1e-8);
  });
});

describe('conditional instance normalization', () => {
  const module = new ConditionalInstanceNorm(4, 3);
  module.scale.weight.assign(Float64Array.from({ length: 12 }, (_, i) => 1 + i));
  module.shift.weight.assign(Float64Array.from({ length: 12 }, (_, i) => -i));
  const plain = new InstanceNorm(4).forward(x);
  const rows = (start: number): Tensor => tensor(Float64Array.from({ length: 4 }, (_, i) => start + i), { shape: [4, 1, 1], dtype });

  it('looks its scale and shift up by style', async () => {
    const y = module.forward(x, tensor([2, 0]).to('int32'));
    expect(await relativeError(y.narrow(0, 0, 1), plain.narrow(0, 0, 1).mul(rows(9)).sub(rows(8)))).toBeLessThan(1e-6);
    expect(await relativeError(y.narrow(0, 1, 1), plain.narrow(0, 1, 1).mul(rows(1)).sub(rows(0)))).toBeLessThan(1e-6);
  });

  it('mixes styles by weights', async () => {
    const mixed = module.forward(x, tensor([[0.5, 0, 0.5], [0, 1, 0]], { dtype }));
    expect(await relativeError(mixed.narrow(0, 0, 1), plain.narrow(0, 0, 1).mul(rows(5)).sub(rows(4)))).toBeLessThan(1e-6);
  });
});

describe('modulation by a condition', () => {
  const condition = randomTensor([2, 6], 3, { dtype: 'float32' });
  const input = randomTensor([2, 4, 3, 5], 1, { dtype: 'float32' });

  it('a scale and a shift of 0 leave the plain norm', async () => {
    const module = new FilmGroupNorm(4, 6, { groups: 2 });
    for (const parameter of module.condition.parameters()) parameter.assign(0);
    expect(await relativeError(module.forward(input, condition), new GroupNorm(2, 4).forward(input))).toBe(0);
  });

  it('changing one sample\'s condition changes that sample only', async () => {
    const module = new FilmGroupNorm(4, 6, { groups: 2 });
    const other = condition.add(tensor([[0], [1]]));
    const difference = module.forward(input, other).sub(module.forward(input, condition)).abs();
    expect(await difference.narrow(0, 0, 1).max().item()).toBe(0);
    expect(await difference.narrow(0, 1, 1).max().item()).toBeGreaterThan(0.01);
  });

  it('adaLN-Zero starts as the identity, and learns from there', async () => {
    const sequence = randomTensor([2, 7, 4], 4, { dtype: 'float32' });
    const [module, branch] = [new AdaptiveLayerNormZero(4, 6), new Linear(4, 4)];
    const y = module.forward(sequence, condition, (part) => branch.forward(part));
    expect(await relativeError(y, sequence)).toBe(0);
    const [weight = y] = grad(y.square().sum(), [module.condition.weight]);
    expect(await weight.abs().max().item()).toBeGreaterThan(0.01);
  });

  it('adaLN starts as layer normalization, and refuses to work without a condition', async () => {
    const sequence = randomTensor([2, 7, 4], 4, { dtype: 'float32' });
    const module = new AdaptiveLayerNorm(4, 6);
    expect(await relativeError(module.forward(sequence, condition), new ChannelLayerNorm(4, { eps: 1e-6, affine: false }).forward(sequence))).toBe(0);
    expect(() => module.forward(sequence)).toThrowErrorMatchingInlineSnapshot(`[UserError: AdaptiveLayerNorm: no condition — call forward(x, condition); models that give none need another normalization]`);
  });

  it('modulate is y (1 + scale) + shift', async () => {
    const [scale, shift] = [randomTensor([2, 4], 5), randomTensor([2, 4], 6)];
    const expected = x.mul(scale.add(1).reshape(2, 4, 1, 1)).add(shift.reshape(2, 4, 1, 1));
    expect(await relativeError(modulate(x, scale, shift), expected)).toBe(0);
    const norm = new ChannelLayerNorm(4, { dtype, affine: false }).forward(x);
    expect(await norm.mean([1, 2, 3], kept).abs().max().item()).toBeLessThan(1e-14);
    expect(() => modulate(x, randomTensor([4], 1), shift)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: values per sample and channel of shape [4] for an input [2, 4, 3, 5] — give [N, C]]`);
  });
});
