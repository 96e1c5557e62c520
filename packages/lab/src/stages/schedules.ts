// Schedules: the factor on the learning rate at each step.
import { component } from '@athanor/core/plugin';
import * as z from 'zod';

const warmup = z.int().min(0).default(0).meta({ description: 'steps over which the factor rises from 0 to its value' });

export const schedules = [
  component({
    kind: 'schedule',
    name: 'constant',
    summary: 'One learning rate, after an optional linear warm-up',
    schema: z.strictObject({ warmup }),
    create: (config) => (step) => rise(step, config.warmup),
  }),
  component({
    kind: 'schedule',
    name: 'cosine',
    summary: 'Half a cosine from 1 down to `floor` (Loshchilov & Hutter 2017, without restarts)',
    schema: z.strictObject({ warmup, floor: z.number().min(0).max(1).default(0) }),
    create: (config, { steps }) => (step) => {
      const progress = Math.min(1, Math.max(0, step - config.warmup) / Math.max(1, steps - config.warmup));
      return rise(step, config.warmup) * (config.floor + (1 - config.floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
    },
  }),
  component({
    kind: 'schedule',
    name: 'step',
    summary: 'Multiplies by `factor` at each of the given shares of the run (He et al. 2016: a tenth at 1/2 and 3/4)',
    schema: z.strictObject({
      warmup,
      at: z.array(z.number().min(0).max(1)).default([0.5, 0.75]),
      factor: z.number().positive().default(0.1),
    }),
    create: (config, { steps }) => (step) =>
      rise(step, config.warmup) * config.factor ** config.at.filter((share) => step >= share * steps).length,
  }),
];

function rise(step: number, steps: number): number {
  return step >= steps ? 1 : (step + 1) / (steps + 1);
}
