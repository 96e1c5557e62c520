// Normalizations inside recurrent networks, as components of a kind of their own.
import { component } from '@athanor/core/plugin';
import * as z from 'zod';
import { IdentityStepNorm, LayerStepNorm, RecurrentBatchNorm } from '../recurrent/step-norm.ts';
import { eps, momentum } from './shared.ts';

const gain = (value: number): z.ZodDefault<z.ZodNumber> => z.number().default(value).meta({ description: 'the scale at the start' });

export const recurrentComponents = [
  component({
    kind: 'recurrent-norm',
    name: 'none',
    summary: 'No normalization',
    schema: z.strictObject({}),
    create: () => () => new IdentityStepNorm(),
  }),
  component({
    kind: 'recurrent-norm',
    name: 'layer',
    summary: 'Layer normalization of each step (Ba, Kiros & Hinton 2016)',
    schema: z.strictObject({ eps: eps(1e-5), gain: gain(1) }),
    create: (config) => (features, { bias, dtype = 'float32' }) => new LayerStepNorm(features, { ...config, bias, dtype }),
  }),
  component({
    kind: 'recurrent-norm',
    name: 'recurrent-batch',
    summary: 'Batch normalization of each step, with running statistics per step (Cooijmans et al. 2016)',
    schema: z.strictObject({ eps: eps(1e-5), momentum: momentum(0.01), gain: gain(0.1) }),
    create: (config) => (features, { steps, bias, dtype = 'float32' }) => new RecurrentBatchNorm(features, { ...config, steps, bias, dtype }),
  }),
];
