// Normalizations whose scale and shift come from outside, as components: models must give forward a second argument.
import { component } from '@athanor/core/plugin';
import * as z from 'zod';
import { AdaptiveInstanceNorm, AdaptiveLayerNorm, ConditionalInstanceNorm, FilmGroupNorm } from '../conditional/style.ts';
import { eps, groups } from './shared.ts';

const condition = z.int().min(1).meta({ description: 'numbers in a condition' });

/** Methods that are told something from outside. */
export const conditionalComponents = [
  component({
    kind: 'norm',
    name: 'conditional-instance',
    summary: 'Instance normalization with a scale and a shift per style (Dumoulin, Shlens & Kudlur 2017)',
    schema: z.strictObject({ styles: z.int().min(1), eps: eps(1e-5) }),
    create: ({ styles, ...config }) => (features) => new ConditionalInstanceNorm(features, styles, config),
  }),
  component({
    kind: 'norm',
    name: 'adaptive-instance',
    summary: 'AdaIN: the channel statistics of a style image (Huang & Belongie 2017)',
    schema: z.strictObject({ eps: eps(1e-5) }),
    create: (config) => () => new AdaptiveInstanceNorm(config),
  }),
  component({
    kind: 'norm',
    name: 'film-group',
    summary: 'Group normalization that a condition scales and shifts (Perez et al. 2017; Dhariwal & Nichol 2021)',
    schema: z.strictObject({ condition, groups, eps: eps(1e-5) }),
    create: ({ condition: width, ...config }) => (features) => new FilmGroupNorm(features, width, config),
  }),
  component({
    kind: 'norm',
    name: 'adaptive-layer',
    summary: 'adaLN: layer normalization that a condition scales and shifts (Peebles & Xie 2022)',
    schema: z.strictObject({ condition, eps: eps(1e-6) }),
    create: ({ condition: width, ...config }) => (features) => new AdaptiveLayerNorm(features, width, config),
  }),
];
