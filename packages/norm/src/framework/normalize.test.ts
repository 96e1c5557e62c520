// The forward and backward that all methods share: against plain compositions, finite differences, exact identities.
import { grad, type Tensor } from '@athanor/core';
import { describe, expect, it, test } from 'vitest';
import { derivativeError, randomTensor, relativeError, secondDerivativeError } from '../testing/numbers.ts';
import { normalize } from './normalize.ts';
import { constantStatistics, statisticsOf, type StatisticsOptions } from './statistics.ts';

const shape = [3, 4, 2, 3];
/** Parameters of every way in which they can lie to the statistics' axes. */
const cases: [string, StatisticsOptions, number[]][] = [
  ['one weight per statistic', { axes: [0, 2, 3], eps: 0.1 }, [1, 4, 1, 1]],
  ['weights within a statistic', { axes: [1, 2, 3], eps: 0.1 }, [1, 4, 1, 1]],
  ['a weight per element of a statistic', { axes: [1, 2, 3], eps: 0.1 }, [4, 2, 3]],
  ['weights across statistics', { axes: [2, 3], eps: 0.1 }, [1, 4, 1, 1]],
  ['a weight per sample and channel', { axes: [2, 3], eps: 0.1 }, [3, 4, 1, 1]],
  ['not centred', { axes: [1], eps: 0.1, center: false }, [1, 4, 1, 1]],
  ['ε outside of the root', { axes: [1, 3], eps: 0.1, placement: 'outside' }, [1, 4, 1, 1]],
  ['the variance clamped, some below', { axes: [2, 3], eps: 0.9, placement: 'clamp' }, [1, 4, 1, 1]],
  ['unbiased, ε outside', { axes: [2, 3], eps: 0.1, placement: 'outside', correction: 1 }, [1, 1, 1, 1]],
];

/** The same in plain operations, whose gradient the engine finds by itself. */
function composed(x: Tensor, { axes, eps, center = true, placement = 'inside', correction = 0 }: StatisticsOptions, weight: Tensor, bias: Tensor): Tensor {
  const kept = { keepdim: true };
  const count = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  const centred = center ? x.sub(x.mean(axes, kept)) : x;
  const variance = centred.square().sum(axes, kept).div(count - correction);
  const sigma = placement === 'inside' ? variance.add(eps).sqrt() : placement === 'outside' ? variance.sqrt().add(eps) : variance.maximum(eps).sqrt();
  return centred.div(sigma).mul(weight).add(bias);
}

describe.each(cases)('%s', (_, options, parameterShape) => {
  const [x, w, b] = [randomTensor(shape, 1, { shift: 0.5 }), randomTensor(parameterShape, 2, { shift: 1 }), randomTensor(parameterShape, 3)];
  const inputs = [x, w, b];
  const f = (input: Tensor, weight: Tensor, bias: Tensor): Tensor => normalize(input, statisticsOf(input, options), { weight, bias });

  it('equals the plain composition, with its gradients', async () => {
    const plain = composed(x, options, w, b);
    expect(await relativeError(f(x, w, b), plain)).toBeLessThan(1e-13);
    const cotangent = randomTensor(shape, 4);
    const expected = grad(plain, inputs, { cotangent });
    const closed = grad(f(x, w, b), inputs, { cotangent });
    for (const [i, part] of closed.entries()) expect(await relativeError(part, expected[i] ?? [])).toBeLessThan(1e-12);
  });

  it('has the derivatives of finite differences, first and second', async () => {
    expect(await derivativeError(f, inputs)).toBeLessThan(1e-8);
    expect(await secondDerivativeError(f, inputs)).toBeLessThan(1e-6);
  });
});

test('Σ dx = 0 and Σ dx (x − μ) = ε σ⁻³ Σ w dy (x − μ)', async () => {
  const options = { axes: [0, 2, 3], eps: 0.3 };
  const [x, weight, cotangent] = [randomTensor(shape, 1), randomTensor([1, 4, 1, 1], 2), randomTensor(shape, 3)];
  const statistics = statisticsOf(x, options);
  const [dx = x] = grad(normalize(x, statistics, { weight }), [x], { cotangent });
  const centred = x.sub(statistics.mean ?? 0);
  const sum = (values: Tensor): Tensor => values.sum(options.axes, { keepdim: true });
  expect(await sum(dx).abs().max().item()).toBeLessThan(1e-13);
  const right = sum(cotangent.mul(weight).mul(centred)).mul(statistics.inverse.pow(3)).mul(options.eps);
  expect(await relativeError(sum(dx.mul(centred)), right)).toBeLessThan(1e-11);
});

test('constant statistics let the gradient pass as it is', async () => {
  const x = randomTensor(shape, 1);
  const [mean, variance] = [randomTensor([1, 4, 1, 1], 2), randomTensor([1, 4, 1, 1], 3).square()];
  const y = normalize(x, constantStatistics(mean, variance, { axes: [0, 2, 3], eps: 0.1 }));
  const cotangent = randomTensor(shape, 4);
  const [dx = x] = grad(y, [x], { cotangent });
  expect(await relativeError(dx, cotangent.div(variance.add(0.1).sqrt()))).toBeLessThan(1e-14);
});
