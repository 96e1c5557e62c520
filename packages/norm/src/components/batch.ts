// Normalizations with statistics of the batch, as components.
import { component } from '@athanor/core/plugin';
import * as z from 'zod';
import { EvoNormB0, ExtendedBatchNorm, GhostBatchNorm, MeanOnlyBatchNorm } from '../batch/relatives.ts';
import { BatchRenorm } from '../batch/renorm.ts';
import { BatchNorm } from '../batch/batch.ts';
import { CrossMiniBatchNorm } from '../batch/cross-batch.ts';
import { EvalNorm } from '../mixture/eval.ts';
import { SwitchableNorm } from '../mixture/switchable.ts';
import { DecorrelatedBatchNorm, IterNorm } from '../batch/whitening.ts';
import { affine, eps, momentum } from './shared.ts';

const running = {
  eps: eps(1e-5),
  momentum: z.number().min(0).max(1).nullable().default(0.1).meta({ description: 'weight of the new batch in the running statistics; null: mean of all' }),
  affine: affine(true),
  runningVariance: z.enum(['unbiased', 'biased']).default('unbiased').meta({ description: 'the estimate that the running variance averages' }),
};

const samples = z.int().min(1);
const steps = z.int().min(0).default(0);

export const batchComponents = [
  component({
    kind: 'norm',
    name: 'batch',
    summary: 'Batch normalization (Ioffe & Szegedy 2015)',
    schema: z.strictObject({ ...running, trackRunningStats: z.boolean().default(true).meta({ description: 'evaluate with running statistics' }) }),
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
    }),
    create: (config) => (features) => new BatchRenorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'eval',
    summary: 'Batch normalization evaluated with the statistics that small batches had (Singh & Shrivastava 2019)',
    schema: z.strictObject({ samples: samples.meta({ description: 'samples that shared a statistic in training' }), ...running }),
    create: (config) => (features) => new EvalNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'cross-mini-batch',
    summary: 'CmBN: statistics of the mini-batches between two optimiser steps (Bochkovskiy, Wang & Liao 2020)',
    schema: z.strictObject({ miniBatches: samples.meta({ description: 'mini-batches in a batch' }), ...running }),
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
    schema: z.strictObject({ eps: eps(1e-5), momentum: momentum(0.1), affine: affine(true), method: z.enum(['zca', 'pca']).default('zca') }),
    create: (config) => (features) => new DecorrelatedBatchNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'iterative',
    summary: 'IterNorm: whitening by Newton’s iterations (Huang et al. 2019)',
    schema: z.strictObject({ eps: eps(1e-5), momentum: momentum(0.1), affine: affine(true), iterations: z.int().min(1).default(5) }),
    create: (config) => (features) => new IterNorm(features, config),
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
];
