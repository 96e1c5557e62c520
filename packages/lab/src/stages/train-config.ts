// The config of the stage `train`.
import { componentRef } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import * as z from 'zod';
import { isBlock } from '../config/paths.ts';

const group = z.strictObject({
  match: z.string().min(1).meta({ description: 'names of parameters, where * stands for anything: "last.*", "*.bias"' }),
  lrScale: z.number().min(0).default(1).meta({ description: 'factor on the learning rate' }),
  weightDecay: z.number().min(0).optional().meta({ description: 'instead of the optimiser’s' }),
});

const clip = z
  .strictObject({
    norm: z.number().positive().optional().meta({ description: 'largest L2 norm of all gradients together (Pascanu et al. 2013)' }),
    value: z.number().positive().optional().meta({ description: 'largest absolute value of an element' }),
  })
  .refine(({ norm, value }) => (norm === undefined) !== (value === undefined), 'write either norm or value');

const ema = z.strictObject({
  decay: z.number().min(0).lt(1).default(0.999).meta({ description: 'weight of the old average at each step' }),
  warmup: z.boolean().default(false).meta({ description: 'a smaller decay at first: (1 + t) / (10 + t)' }),
  buffers: z.boolean().default(true).meta({ description: 'average running statistics too' }),
});

export const trainSchema = z
  .strictObject({
    data: componentRef('dataset'),
    model: componentRef('model'),
    start: z.string().optional().meta({ description: 'a stage that this one needs, whose trained weights it begins with' }),
    optimizer: componentRef('optimizer').default('sgd'),
    schedule: componentRef('schedule').default('constant'),
    loss: componentRef('loss').default('cross-entropy'),
    batch: z.int().min(1).default(64).meta({ description: 'samples a step; a short last batch of an epoch is left out' }),
    epochs: z.number().positive().optional().meta({ description: 'passes over the training split' }),
    steps: z.int().min(1).optional().meta({ description: 'instead of epochs' }),
    validation: z.int().min(1).optional().meta({ description: 'samples of the training split that are held out and evaluated beside the test split' }),
    microBatches: z.int().min(1).default(1).meta({ description: 'parts of a batch that go through the model one after the other, with one optimiser step for all' }),
    replicas: z.int().min(1).optional().meta({ description: 'processes that train together, each on its part of every batch; normalise with synchronized-batch' }),
    classesPerBatch: z.int().min(1).optional().meta({ description: 'take each batch from so many classes only: batches that are no independent draws' }),
    transforms: z.array(componentRef('transform')).default([]).meta({ description: 'random changes of training samples' }),
    mixup: z.number().positive().optional().meta({ description: 'α of mixup (Zhang et al. 2018): samples are blended by λ ~ Beta(α, α)' }),
    decay: z
      .enum(['all', 'weights'])
      .default('all')
      .meta({ description: 'which parameters have weight decay; `weights`: those with two or more axes, not biases nor scales of norms' }),
    groups: z.array(group).default([]).meta({ description: 'settings for some parameters; the first group that matches counts' }),
    clip: clip.optional().meta({ description: 'limits gradients' }),
    ema: ema.optional().meta({ description: 'moving averages of the weights, which are evaluated and saved in their place' }),
    evaluateEvery: z.int().min(1).default(1).meta({ description: 'epochs between evaluations on the test split' }),
    evaluationBatch: z.int().min(1).default(500),
    logEvery: z.int().min(1).default(10).meta({ description: 'steps between rows of the training loss' }),
    probes: z.array(componentRef('probe')).default([]).meta({ description: 'what is measured in passing' }),
    divergence: z
      .enum(['error', 'result'])
      .default('error')
      .meta({ description: 'a loss that is not finite is an error, or it is what came out: training ends there, and the model is evaluated as it stands' }),
    checkpointEvery: z.int().min(1).optional().meta({ description: 'steps between checkpoints (default: an epoch)' }),
  })
  .refine(({ epochs, steps }) => (epochs === undefined) !== (steps === undefined), { message: 'write either epochs or steps', when: ({ value }) => isBlock(value) })
  .refine(({ schedule, validation }) => validation !== undefined || !watchesValidation(schedule), {
    path: ['schedule', 'metric'],
    message: 'nothing is held out: write validation beside batch, with a number of samples',
  });

function watchesValidation(schedule: ComponentRef): boolean {
  return typeof schedule !== 'string' && String(schedule['metric']).startsWith('validation.');
}

export type TrainConfig = z.output<typeof trainSchema>;
