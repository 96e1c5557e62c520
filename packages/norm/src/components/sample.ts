// Normalizations that look at each sample alone, as components.
import { Identity } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import * as z from 'zod';
import { DivisiveNorm } from '../local/divisive.ts';
import { DynamicErf, DynamicTanh, LayerScale } from '../none/elementwise.ts';
import { FilterResponseNorm } from '../sample/filter-response.ts';
import { LocalResponseNorm } from '../local/local-response.ts';
import { EvoNormS0, GlobalResponseNorm, PositionalNorm, SimpleNorm, UnitNorm } from '../sample/relatives.ts';
import { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm } from '../sample/sample.ts';
import { affine, eps, groups, over, placement } from './shared.ts';

const alpha = z.number().positive().default(0.5).meta({ description: 'α at the start' });

export const sampleComponents = [
  component({
    kind: 'norm',
    name: 'none',
    summary: 'No normalization',
    schema: z.strictObject({}),
    create: () => () => new Identity(),
  }),
  component({
    kind: 'norm',
    name: 'layer',
    summary: 'Layer normalization (Ba, Kiros & Hinton 2016)',
    schema: z.strictObject({ eps: eps(1e-5), placement, affine: affine(true), over: over.optional() }),
    create: ({ over: extent, ...config }) => (features) => new ChannelLayerNorm(features, extent === undefined ? config : { ...config, over: extent }),
  }),
  component({
    kind: 'norm',
    name: 'group',
    summary: 'Group normalization (Wu & He 2018)',
    schema: z.strictObject({ groups, eps: eps(1e-5), placement, affine: affine(true), over: over.default('sample') }),
    create: ({ groups: count, ...config }) => (features) => new GroupNorm(count, features, config),
  }),
  component({
    kind: 'norm',
    name: 'instance',
    summary: 'Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016)',
    schema: z.strictObject({ eps: eps(1e-5), placement, affine: affine(false) }),
    create: (config) => (features) => new InstanceNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'rms',
    summary: 'Root-mean-square normalization (Zhang & Sennrich 2019)',
    schema: z.strictObject({ eps: eps(2 ** -23), placement, affine: affine(true), over: over.default('position') }),
    create: (config) => (features) => new ChannelRMSNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'pixel',
    summary: 'Pixel normalization: root mean square of the channels without a scale (Karras et al. 2018)',
    schema: z.strictObject({ eps: eps(1e-8) }),
    create: (config) => (features) => new ChannelRMSNorm(features, { ...config, affine: false }),
  }),
  component({
    kind: 'norm',
    name: 'positional',
    summary: 'Positional normalization (Li et al. 2019)',
    schema: z.strictObject({ eps: eps(1e-5) }),
    create: (config) => () => new PositionalNorm(config),
  }),
  component({
    kind: 'norm',
    name: 'simple',
    summary: 'Variance without subtracting the mean',
    schema: z.strictObject({ eps: eps(1e-6), affine: affine(true) }),
    create: (config) => (features) => new SimpleNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'unit',
    summary: 'Unit length over the channels',
    schema: z.strictObject({ eps: eps(1e-12) }),
    create: (config) => () => new UnitNorm(config),
  }),
  component({
    kind: 'norm',
    name: 'filter-response',
    summary: 'Filter response normalization with its thresholded linear unit (Singh & Krishnan 2019)',
    schema: z.strictObject({
      eps: eps(1e-6),
      affine: affine(true),
      threshold: z.boolean().default(true).meta({ description: 'take the maximum with a learned threshold' }),
      learnEps: z.boolean().default(false).meta({ description: 'learn what is added to eps' }),
    }),
    create: (config) => (features) => new FilterResponseNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'global-response',
    summary: 'Global response normalization (Woo et al. 2023)',
    schema: z.strictObject({ eps: eps(1e-6) }),
    create: (config) => (features) => new GlobalResponseNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'local-response',
    summary: 'Local response normalization (Krizhevsky, Sutskever & Hinton 2012)',
    schema: z.strictObject({
      size: z.int().min(1).default(5).meta({ description: 'channels (or cells on a side) in the window' }),
      alpha: z.number().min(0).default(1e-4),
      beta: z.number().min(0).default(0.75),
      k: z.number().min(0).default(1),
      alphaPer: z.enum(['window', 'element']).default('window').meta({ description: 'window: alpha is divided by the size, as in PyTorch; element: as in TensorFlow' }),
      window: z.enum(['channels', 'positions']).default('channels'),
    }),
    create: (config) => () => new LocalResponseNorm(config),
  }),
  component({
    kind: 'norm',
    name: 'divisive',
    summary: 'Divisive normalization by a local window, smoothed (Ren et al. 2017)',
    schema: z.strictObject({
      window: z.int().min(1).default(5).meta({ description: 'cells on a side; odd' }),
      sigma: z.number().min(0).default(1).meta({ description: 'the smoother' }),
      learnSigma: z.boolean().default(false),
      affine: affine(false),
    }),
    create: (config) => (features) => new DivisiveNorm(features, config),
  }),
  component({
    kind: 'norm',
    name: 'evo-s0',
    summary: 'EvoNorm-S0, normalization and activation in one (Liu et al. 2020)',
    schema: z.strictObject({ groups, eps: eps(1e-5), affine: affine(true) }),
    create: (config) => (features) => new EvoNormS0(features, config),
  }),
  component({
    kind: 'norm',
    name: 'dynamic-tanh',
    summary: 'DyT: a learned tanh instead of statistics (Zhu et al. 2025)',
    schema: z.strictObject({ alpha, affine: affine(true) }),
    create: (config) => (features) => new DynamicTanh(features, config),
  }),
  component({
    kind: 'norm',
    name: 'dynamic-erf',
    summary: 'Derf: a learned error function instead of statistics (Chen et al. 2025)',
    schema: z.strictObject({ alpha, affine: affine(true) }),
    create: (config) => (features) => new DynamicErf(features, config),
  }),
  component({
    kind: 'norm',
    name: 'layer-scale',
    summary: 'A learned scale per channel that starts small (Touvron et al. 2021)',
    schema: z.strictObject({ initial: z.number().default(1e-5).meta({ description: 'the scale at the start' }) }),
    create: (config) => (features) => new LayerScale(features, config),
  }),
];
