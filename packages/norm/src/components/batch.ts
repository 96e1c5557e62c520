// Normalizations with statistics of the batch, as components.
import { component } from '@athanor/core/plugin';
import * as z from 'zod';
import { EvoNormB0, ExtendedBatchNorm, GhostBatchNorm, MeanOnlyBatchNorm } from '../batch/relatives.ts';
import { BatchRenorm, renormSchedule } from '../batch/renorm.ts';
import { BatchNorm } from '../batch/batch.ts';
import { CrossMiniBatchNorm } from '../batch/cross-batch.ts';
import { EvalNorm } from '../mixture/eval.ts';
import { SwitchableNorm } from '../mixture/switchable.ts';
import { InPlaceBatchNorm } from '../batch/in-place.ts';
import { SplitBatchNorm } from '../batch/split.ts';
import { SyncBatchNorm } from '../batch/synchronized.ts';
import { VirtualBatchNorm } from '../batch/virtual.ts';
import { DecorrelatedBatchNorm, IterNorm } from '../batch/whitening.ts';
import { RecurrentBatchNorm } from '../recurrent/step-norm.ts';
import { FrozenBatchNorm } from '../surgery/swap.ts';
import { affine, eps, momentum, placement } from './shared.ts';

const running = {
  eps: eps(1e-5),
  momentum: z.number().min(0).max(1).nullable().default(0.1).meta({ description: 'weight of the new batch in the running statistics; null: mean of all' }),
  affine: affine(true),
  runningVariance: z.enum(['unbiased', 'biased']).default('unbiased').meta({ description: 'the estimate that the running variance averages' }),
};

const samples = z.int().min(1);
const steps = z.int().min(0).default(0);

const whitening = {
  eps: eps(1e-5),
  momentum: momentum(0.1),
  affine: affine(true),
  groupSize: samples.optional().meta({ description: 'channels that are whitened together; the largest divisor up to 64 unless given' }),
};

export const batchComponents = [
  component({
    kind: 'norm',
    name: 'batch',
    summary: 'Batch normalization (Ioffe & Szegedy 2015)',
    schema: z.strictObject({ ...running, placement, trackRunningStats: z.boolean().default(true).meta({ description: 'evaluate with running statistics' }) }),
    create: (config) => (features) => new BatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'ghost-batch',
    summary: 'Batch normalization of parts of the batch (Hoffer, Hubara & Soudry 2017)',
    schema: z.strictObject({ samples: samples.meta({ description: 'samples that share a statistic' }), ...running }),
    create: (config) => (features) => new GhostBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'batch-renorm',
    summary: 'Batch renormalization (Ioffe 2017)',
    schema: z.strictObject({
      eps: eps(1e-5),
      momentum: momentum(0.01),
      affine: affine(true),
      rMax: z.number().min(1).default(3).meta({ description: 'largest correction of the scale' }),
      dMax: z.number().min(0).default(5).meta({ description: 'largest correction of the mean' }),
      warmup: steps.meta({ description: 'training steps as plain batch normalization' }),
      rRamp: steps.meta({ description: 'steps after the warm-up until rMax' }),
      dRamp: steps.meta({ description: 'steps after the warm-up until dMax' }),
      paperOver: z.int().min(1).optional().meta({ description: 'the paper’s warm-up and ramps, scaled to a training of so many steps' }),
    }),
    create: ({ paperOver, ...config }) => (features) => new BatchRenorm(features, paperOver === undefined ? config : { ...config, ...renormSchedule(paperOver) }),
  }),
  component({
    kind: 'norm',
    name: 'eval',
    summary: 'Batch normalization evaluated with the statistics that small batches had (Singh & Shrivastava 2019)',
    schema: z.strictObject({
      samples: samples.meta({ description: 'samples that shared a statistic in training' }),
      share: z.enum(['expectation', 'squared', 'learned']).default('expectation').meta({ description: 'how much of its own statistics a sample takes: 1 / samples, 1 / samples², or what fitEvalNorm finds' }),
      ...running,
    }),
    create: (config) => (features) => new EvalNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'cross-mini-batch',
    summary: 'CmBN: statistics of the mini-batches between two optimiser steps (Bochkovskiy, Wang & Liao 2020)',
    schema: z.strictObject({
      miniBatches: samples.meta({ description: 'mini-batches in a batch' }),
      backward: z.enum(['exact', 'darknet']).default('exact').meta({ description: 'the exact gradient, or that of the authors’ code' }),
      ...running,
    }),
    create: (config) => (features) => new CrossMiniBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'extended-batch',
    summary: 'Batch normalization with one scale for all channels (Luo et al. 2020)',
    schema: z.strictObject({ eps: eps(1e-5), momentum: momentum(0.1), affine: affine(true) }),
    create: (config) => (features) => new ExtendedBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'mean-only-batch',
    summary: 'Only the batch’s mean is subtracted (Salimans & Kingma 2016)',
    schema: z.strictObject({ momentum: momentum(0.1), bias: z.boolean().default(true).meta({ description: 'learn a shift per channel' }) }),
    create: (config) => (features) => new MeanOnlyBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'decorrelated',
    summary: 'Decorrelated batch normalization: whitening by eigenvectors (Huang et al. 2018)',
    schema: z.strictObject({ ...whitening, method: z.enum(['zca', 'pca']).default('zca') }),
    create: ({ groupSize, ...config }) => (features) => new DecorrelatedBatchNorm(features, groupSize === undefined ? config : { ...config, groupSize }),
  }),
  component({
    kind: 'norm',
    name: 'iterative',
    summary: 'IterNorm: whitening by Newton’s iterations (Huang et al. 2019)',
    schema: z.strictObject({ ...whitening, iterations: z.int().min(1).default(5) }),
    create: ({ groupSize, ...config }) => (features) => new IterNorm(features, groupSize === undefined ? config : { ...config, groupSize }),
  }),
  component({
    kind: 'norm',
    name: 'switchable',
    summary: 'Learned mixture of instance, layer and batch statistics (Luo et al. 2018)',
    schema: z.strictObject({ eps: eps(1e-5), momentum: momentum(0.1), affine: affine(true) }),
    create: (config) => (features) => new SwitchableNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'evo-b0',
    summary: 'EvoNorm-B0, normalization and activation in one (Liu et al. 2020)',
    schema: z.strictObject({ ...running, eps: eps(1e-3) }),
    create: (config) => (features) => new EvoNormB0(features, config),
  }),
  component({
    kind: 'norm',
    name: 'virtual-batch',
    summary: 'Statistics of a reference batch that stands first in each batch, and of the sample (Salimans et al. 2016)',
    schema: z.strictObject({ reference: samples.meta({ description: 'samples of the reference batch' }), eps: eps(1e-5), affine: affine(true) }),
    create: (config) => (features) => new VirtualBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'synchronized-batch',
    summary: 'Batch normalization over replicas (Peng et al. 2018)',
    schema: z.strictObject({ replicas: samples.default(1).meta({ description: 'replicas that a batch is split among' }), ...running }),
    create: (config) => (features) => new SyncBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'split-batch',
    summary: 'A batch normalization for each part of the batch; evaluation uses the first (Xie et al. 2020)',
    schema: z.strictObject({ splits: samples.default(2).meta({ description: 'parts of a batch' }), ...running }),
    create: (config) => (features) => new SplitBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'in-place-batch',
    summary: 'Batch normalization and activation in one, whose backward needs only the output (Rota Bulò et al. 2018)',
    schema: z.strictObject({
      activation: z.enum(['leaky', 'elu', 'none']).default('leaky'),
      slope: z.number().positive().default(0.01).meta({ description: 'of the leaky activation below 0' }),
      ...running,
    }),
    create: (config) => (features) => new InPlaceBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'frozen-batch',
    summary: 'Batch normalization with statistics, scale and shift that nothing changes',
    schema: z.strictObject({ eps: eps(1e-5) }),
    create: (config) => (features) => new FrozenBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'recurrent-batch',
    summary: 'Batch normalization of each step of [N, T, C] on its own (Cooijmans et al. 2016)',
    schema: z.strictObject({
      steps: samples.default(1).meta({ description: 'length of the longest training sequence' }),
      gain: z.number().default(0.1).meta({ description: 'the scale at the start' }),
      eps: eps(1e-5),
      momentum: momentum(0.01),
      affine: affine(true),
    }),
    create: (config) => (features) => new RecurrentBatchNorm(features, config),
  }),
];
