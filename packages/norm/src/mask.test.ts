// Padding: statistics under a mask are those of what it lets through, with their gradients.
import { cat, grad, readAll, tensor, type Tensor } from '@athanor/core';
import { Module } from '@athanor/core/nn';
import { describe, expect, it, test } from 'vitest';
import { BatchNorm } from './batch/batch.ts';
import { BatchRenorm } from './batch/renorm.ts';
import { statisticsOf } from './framework/statistics.ts';
import { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm } from './sample/sample.ts';
import { moduleDerivativeError, randomTensor, relativeError } from './testing/numbers.ts';

const dtype = 'float64';
const eps = 0.1;
const lengths = [4, 2, 3];
const x = randomTensor([3, 4, 6], 1, { shift: 0.5 });
const mask = tensor(lengths.map((length) => [0, 1, 2, 3].map((step) => step < length)), { dtype: 'bool' }).unsqueeze(2);

/** What is not padding: [samples and steps, C], or each sample [1, length, C]. */
const rows = (values: Tensor): Tensor => cat(samples(values).map((sample) => sample.squeeze(0)));
const samples = (values: Tensor): Tensor[] => lengths.map((length, n) => values.narrow(0, n, 1).narrow(1, 0, length));

type Masked = Module & { forward(x: Tensor, mask?: Tensor): Tensor };

describe.each<[string, () => Masked]>([
  ['batch', () => new BatchNorm(6, { dtype, eps })],
  ['batch renormalization', () => new BatchRenorm(6, { dtype, eps, momentum: 0.3, rMax: 1.1, dMax: 0.1 })],
])('%s', (_, make) => {
  it('is that of the rows without padding; so are its gradient and its running statistics', async () => {
    const dy = randomTensor(x.shape, 2);
    const results = async (input: Tensor, keep: (values: Tensor) => Tensor, given?: Tensor): Promise<ArrayLike<number>[]> => {
      const norm = make();
      const y = keep(norm.forward(input, given));
      const gradients = grad(y, [x, ...norm.parameters()], { cotangent: rows(dy) });
      return await readAll([y, ...gradients, ...norm.buffers().map(({ value }) => value)]);
    };
    const expected = await results(rows(x), (values) => values);
    for (const [i, values] of (await results(x, rows, mask)).entries()) expect(await relativeError(values, expected[i] ?? [])).toBeLessThan(1e-12);
  });
});

test.each<[string, Masked]>([
  ['group', new GroupNorm(2, 6, { dtype, eps })],
  ['instance', new InstanceNorm(6, { dtype, eps, affine: true })],
  ['layer over samples', new ChannelLayerNorm(6, { dtype, eps, over: 'sample' })],
  ['layer over steps', new ChannelLayerNorm(6, { dtype, eps })],
  ['RMS over samples', new ChannelRMSNorm(6, { dtype, eps, over: 'sample' })],
])('%s normalization of padded sequences is that of the sequences', async (_, norm) => {
  const expected = cat(samples(x).map((sample) => norm.forward(sample).squeeze(0)));
  expect(await relativeError(rows(norm.forward(x, mask)), expected)).toBeLessThan(1e-12);
});

/** A norm with a fixed mask. */
class Fixed extends Module {
  readonly norm: Masked;

  constructor(norm: Masked) {
    super();
    this.norm = norm;
  }

  override forward(input: Tensor): Tensor {
    return this.norm.forward(input, mask);
  }
}

test.each<[string, Masked]>([
  ['batch', new BatchNorm(6, { dtype, eps })],
  ['group', new GroupNorm(2, 6, { dtype, eps })],
  ['instance', new InstanceNorm(6, { dtype, eps, affine: true })],
])('%s normalization under a mask has the derivatives of finite differences, at padding too', async (_, norm) => {
  expect(await moduleDerivativeError(new Fixed(norm), x)).toBeLessThan(1e-8);
});

test('variances may divide by one less than the elements that count', async () => {
  const { variance } = statisticsOf(x, { axes: [0, 1], eps, correction: 1, mask });
  expect(await relativeError(variance, rows(x).var(0))).toBeLessThan(1e-12);
});
