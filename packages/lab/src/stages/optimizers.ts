// The engine's optimisers as components.
import { Adam, AdamW, SGD } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import * as z from 'zod';

const decay = z.number().min(0).meta({ description: 'weight decay' });
const moments = {
  lr: z.number().positive().default(0.001),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  eps: z.number().positive().default(1e-8),
};

export const optimizers = [
  component({
    kind: 'optimizer',
    name: 'sgd',
    summary: 'Stochastic gradient descent with momentum (Polyak 1964) or Nesterov’s',
    schema: z.strictObject({
      lr: z.number().positive().default(0.1),
      momentum: z.number().min(0).lt(1).default(0),
      nesterov: z.boolean().default(false),
      weightDecay: decay.default(0),
    }),
    create: (options) => (parameters) => new SGD(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'adam',
    summary: 'Adam (Kingma & Ba 2015)',
    schema: z.strictObject({ ...moments, weightDecay: decay.default(0) }),
    create: (options) => (parameters) => new Adam(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'adamw',
    summary: 'Adam with decoupled weight decay (Loshchilov & Hutter 2019)',
    schema: z.strictObject({ ...moments, weightDecay: decay.default(0.01) }),
    create: (options) => (parameters) => new AdamW(parameters, options),
  }),
];
