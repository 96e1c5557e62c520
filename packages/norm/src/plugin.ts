// What this package brings to experiments: normalizations by name, each with the schema of its config.
import { Identity } from '@athanor/core/nn';
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';
import { BatchNorm } from './methods/batch.ts';
import { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm } from './methods/sample.ts';

const eps = (value: number): z.ZodDefault<z.ZodNumber> => z.number().positive().default(value).meta({ description: 'added to the variance' });
const affine = z.boolean().default(true).meta({ description: 'learn a scale and a shift per channel' });
const over = z.enum(['sample', 'position']).meta({ description: 'one statistic for the whole sample, or one at each position' });


export default definePlugin({
  name: '@athanor/norm',
  components: [
    component({
      kind: 'norm',
      name: 'none',
      summary: 'No normalization',
      schema: z.strictObject({}),
      create: () => () => new Identity(),
    }),
    component({
      kind: 'norm',
      name: 'batch',
      summary: 'Batch normalization (Ioffe & Szegedy 2015)',
      schema: z.strictObject({
        eps: eps(1e-5),
        momentum: z.number().min(0).max(1).nullable().default(0.1).meta({ description: 'weight of the new batch in the running statistics; null: mean of all' }),
        affine,
        trackRunningStats: z.boolean().default(true).meta({ description: 'evaluate with running statistics' }),
        runningVariance: z.enum(['unbiased', 'biased']).default('unbiased').meta({ description: 'the estimate that the running variance averages' }),
      }),
      create: (config) => (features) => new BatchNorm(features, config),
    }),
    component({
      kind: 'norm',
      name: 'layer',
      summary: 'Layer normalization (Ba, Kiros & Hinton 2016)',
      schema: z.strictObject({ eps: eps(1e-5), affine, over: over.optional() }),
      create: ({ over: extent, ...config }) => (features) => new ChannelLayerNorm(features, extent === undefined ? config : { ...config, over: extent }),
    }),
    component({
      kind: 'norm',
      name: 'group',
      summary: 'Group normalization (Wu & He 2018)',
      schema: z.strictObject({ groups: z.int().min(1).default(8).meta({ description: 'groups of channels' }), eps: eps(1e-5), affine, over: over.default('sample') }),
      create: ({ groups, ...config }) => (features) => new GroupNorm(groups, features, config),
    }),
    component({
      kind: 'norm',
      name: 'instance',
      summary: 'Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016)',
      schema: z.strictObject({ eps: eps(1e-5), affine: affine.default(false) }),
      create: (config) => (features) => new InstanceNorm(features, config),
    }),
    component({
      kind: 'norm',
      name: 'rms',
      summary: 'Root-mean-square normalization (Zhang & Sennrich 2019)',
      schema: z.strictObject({ eps: eps(2 ** -23), affine, over: over.default('position') }),
      create: (config) => (features) => new ChannelRMSNorm(features, config),
    }),
  ],
});
