// The predicted cost of each kind of method against the program that the engine makes.
import type { TensorModule } from '@athanor/core/nn';
import { expect, test } from 'vitest';
import { BatchNorm } from '../batch/batch.ts';
import { DynamicTanh } from '../none/elementwise.ts';
import { FilterResponseNorm } from '../sample/filter-response.ts';
import { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm } from '../sample/sample.ts';
import { measureCost, predictCost, type CostFormula } from './cost.ts';

const shape = [16, 8, 16, 16];
const elements = 16 * 8 * 16 * 16;
const [samples, channels] = [16, 8];

const methods: [string, TensorModule, CostFormula, statistics: number][] = [
  ['batch', new BatchNorm(channels), 'centred, shared', channels],
  ['instance with parameters', new InstanceNorm(channels, { affine: true }), 'centred, shared', samples * channels],
  ['instance', new InstanceNorm(channels), 'centred, none', samples * channels],
  ['layer', new ChannelLayerNorm(channels), 'centred, own', samples],
  ['group', new GroupNorm(4, channels), 'centred, own', samples * 4],
  ['filter response', new FilterResponseNorm(channels, { threshold: false }), 'uncentred, shared', samples * channels],
  ['RMS of the sample', new ChannelRMSNorm(channels, { over: 'sample' }), 'uncentred, own', samples],
  ['RMS of the position', new ChannelRMSNorm(channels), 'uncentred, own', elements / channels],
];

/** |actual − expected| / expected. Sums over few statistics are not in the formulas: 3 % are allowed for them. */
const distance = (actual: number, expected: number): number => Math.abs(actual - expected) / expected;

test.each(methods)('%s', (_, module, formula, statistics) => {
  const [measured, predicted] = [measureCost(module, shape), predictCost(formula, { elements, statistics })];
  const few = statistics < elements / 64;
  expect(distance(measured.forward.flops, predicted.forward.flops)).toBeLessThan(few ? 0.03 : 0.15);
  expect(distance(measured.backward.flops, predicted.backward.flops)).toBeLessThan(0.03);
  expect(distance(measured.forward.bytesRead, predicted.forward.bytesRead)).toBeLessThan(0.03);
  expect(distance(measured.forward.bytesWritten, predicted.forward.bytesWritten)).toBeLessThan(few ? 0.03 : 0.15);
  expect(distance(measured.backward.bytesRead, predicted.backward.bytesRead)).toBeLessThan(few ? 0.03 : 0.07);
  expect(distance(measured.backward.bytesWritten, predicted.backward.bytesWritten)).toBeLessThan(0.03);
  expect(distance(measured.keptBytes, predicted.keptBytes)).toBeLessThan(0.001);
});

test('elementwise: the tanh is kept beside the input, and dx leaves with the product before', () => {
  const [measured, predicted] = [measureCost(new DynamicTanh(channels), shape), predictCost('elementwise', { elements, statistics: 0 })];
  expect(distance(measured.forward.flops, predicted.forward.flops)).toBeLessThan(0.03);
  expect(distance(measured.backward.flops, predicted.backward.flops)).toBeLessThan(0.03);
  expect(distance(measured.keptBytes, predicted.keptBytes)).toBeLessThan(0.001);
});

test('in evaluation: three operations an element forward, and less than half of the backward', () => {
  const [training, evaluation] = [measureCost(new BatchNorm(channels), shape), measureCost(new BatchNorm(channels).eval(), shape)];
  expect(distance(evaluation.forward.flops, 3 * elements)).toBeLessThan(0.03);
  expect(evaluation.backward.flops).toBeLessThan(training.backward.flops / 2);
});
