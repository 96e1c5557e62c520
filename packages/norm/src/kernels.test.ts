// How many kernels a method's training step takes between the layers around it, with running statistics and gradients.
import type { TensorModule } from '@athanor/core/nn';
import { expect, test } from 'vitest';
import { explain, kernelsOf, trainingStep } from './testing/programs.ts';
import { BatchNorm } from './batch/batch.ts';
import { LayerNorm, RMSNorm } from './sample/last-axes.ts';
import { ChannelLayerNorm, GroupNorm, InstanceNorm } from './sample/sample.ts';

/** Loop kernels in a training step. */
function loops(module: TensorModule, shape: readonly number[]): { loops: number; text: string } {
  const program = trainingStep(module, shape);
  return { loops: kernelsOf(program).filter((kind) => kind === 'loop').length, text: explain(program) };
}

const image = [16, 8, 16, 16];
test.each<[string, TensorModule, readonly number[], number]>([
  ['batch: one forward with running statistics, one backward with dγ and dβ', new BatchNorm(8), image, 2],
  ['batch of [N, C]', new BatchNorm(64), [32, 64], 2],
  ['layer over the last axis: one forward, one backward, one for dγ and dβ', new LayerNorm(768), [128, 768], 3],
  ['RMS over the last axis', new RMSNorm(768), [128, 768], 3],
  ['layer over the sample', new ChannelLayerNorm(8), image, 3],
  ['group', new GroupNorm(4, 8), image, 3],
  ['instance without parameters: one and one', new InstanceNorm(8), image, 2],
  ['instance with parameters, whose sums per sample are added up: two small ones', new InstanceNorm(8, { affine: true }), image, 4],
])('%s', (_, module, shape, count) => {
  const { text, ...counts } = loops(module, shape);
  expect({ ...counts, text }).toEqual({ loops: count, text });
});
