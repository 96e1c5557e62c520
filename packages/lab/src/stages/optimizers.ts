// The engine's optimisers as components.
import { Adagrad, Adam, AdamW, Lion, NAdam, RMSprop, SGD } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import * as z from 'zod';

const share = z.number().min(0).lt(1);
const rate = (lr: number) => z.number().positive().max(1e38).default(lr).meta({ description: 'learning rate' });
const decay = (weightDecay: number, description = 'weight decay, added to the gradient') =>
  z.number().min(0).default(weightDecay).meta({ description });
const decoupled = 'weight decay, which shrinks the parameters themselves';
const momentum = share.default(0);
const moments = {
  betas: z.tuple([share, share]).default([0.9, 0.999]).meta({ description: 'decay of the first and of the second moment' }),
  eps: z.number().positive().default(1e-8),
};

/** One component for each optimiser of the engine. */
export const optimizers = [
  component({
    kind: 'optimizer',
    name: 'sgd',
    summary: 'Stochastic gradient descent with momentum (Polyak 1964) or Nesterov’s',
    schema: z
      .strictObject({
        lr: rate(0.1),
        momentum,
        nesterov: z.boolean().default(false),
        dampening: share.default(0).meta({ description: 'share of each gradient but the first that does not enter the momentum' }),
        weightDecay: decay(0),
      })
      .refine(({ momentum: given, nesterov }) => !nesterov || given > 0, { path: ['nesterov'], message: 'needs a momentum above 0, such as momentum: 0.9' })
      .refine(({ momentum: given, dampening }) => dampening === 0 || given > 0, { path: ['dampening'], message: 'does nothing without a momentum: set one above 0, or leave it out' })
      .refine(({ nesterov, dampening }) => dampening === 0 || !nesterov, { path: ['dampening'], message: 'does not go with nesterov: leave one of the two out' }),
    create: (options) => (parameters) => new SGD(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'adam',
    summary: 'Adam (Kingma & Ba 2015)',
    schema: z.strictObject({ lr: rate(0.001), ...moments, weightDecay: decay(0) }),
    create: (options) => (parameters) => new Adam(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'adamw',
    summary: 'Adam with decoupled weight decay (Loshchilov & Hutter 2019)',
    schema: z.strictObject({ lr: rate(0.001), ...moments, weightDecay: decay(0.01, decoupled) }),
    create: (options) => (parameters) => new AdamW(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'nadam',
    summary: 'Adam with Nesterov’s momentum (Dozat 2016)',
    schema: z.strictObject({
      lr: rate(0.002),
      ...moments,
      momentumDecay: z.number().positive().default(0.004).meta({ description: 'how fast the momentum rises to the first beta' }),
      weightDecay: decay(0),
    }),
    create: (options) => (parameters) => new NAdam(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'rmsprop',
    summary: 'Gradients over their root mean square (Tieleman & Hinton 2012)',
    schema: z.strictObject({
      lr: rate(0.01),
      alpha: share.default(0.99).meta({ description: 'decay of the mean square' }),
      eps: z.number().positive().default(1e-8),
      momentum,
      centered: z.boolean().default(false).meta({ description: 'divide by the standard deviation instead of the root mean square' }),
      weightDecay: decay(0),
    }),
    create: (options) => (parameters) => new RMSprop(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'adagrad',
    summary: 'Gradients over the root of the sum of their squares (Duchi et al. 2011)',
    schema: z.strictObject({
      lr: rate(0.01),
      lrDecay: z.number().min(0).default(0).meta({ description: 'the rate at step t is lr / (1 + (t − 1) · lrDecay)' }),
      initialAccumulatorValue: z.number().min(0).default(0),
      eps: z.number().positive().default(1e-10),
      weightDecay: decay(0),
    }),
    create: (options) => (parameters) => new Adagrad(parameters, options),
  }),
  component({
    kind: 'optimizer',
    name: 'lion',
    summary: 'The sign of a momentum, so that every step has one size (Chen et al. 2023)',
    schema: z.strictObject({
      lr: rate(1e-4),
      betas: z.tuple([share, share]).default([0.9, 0.99]).meta({ description: 'weights of the momentum in the step and in itself' }),
      weightDecay: decay(0, decoupled),
    }),
    create: (options) => (parameters) => new Lion(parameters, options),
  }),
];
