// The schema of an experiment file. What stands inside the components is checked by their own schemas.
import { componentRef } from '@athanor/core/plugin';
import * as z from 'zod';
import { claimSchema } from '../claims/schema.ts';
import { sweepSchema } from './sweep.ts';

const value = z.unknown();

export const experimentSchema = z.strictObject({
  extends: z.array(z.string()).optional().meta({ description: 'Experiment files laid under this one, the last one uppermost' }),
  question: z.string().optional().meta({ description: 'What the experiment is to find out' }),
  plugins: z
    .array(z.string())
    .default([])
    .meta({ description: 'Packages or files whose components are used; resolved from this file' }),
  backend: componentRef('backend').optional(),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .check(({ value: seeds, issues }) => {
      for (const [index, seed] of seeds.entries()) {
        if (seeds.indexOf(seed) < index) issues.push({ code: 'custom', path: [index], message: `${seed} is there twice`, input: seed });
      }
    })
    .default([0])
    .meta({ description: 'Every variant is run once for each' }),
  data: componentRef('dataset').optional(),
  model: componentRef('model').optional(),
  train: z.record(z.string(), value).optional().meta({ description: 'The config of the one stage `train`' }),
  stages: z
    .union([z.array(componentRef('stage')).min(1), z.record(z.string(), componentRef('stage'))])
    .optional()
    .meta({ description: 'Stages: a list, run in this order, or a block of named ones, each with what it `needs`' }),
  sweep: sweepSchema.optional().meta({ description: 'The variants: variables and their values' }),
  quick: z
    .record(z.string(), value)
    .default({})
    .meta({ description: 'Keys such as train.steps, with the values that they have under --quick' }),
  claims: z.array(claimSchema).default([]).meta({ description: 'What must come out: judged by `athanor reproduce`' }),
});

/** What an experiment file may hold, for configs in TypeScript: `export default { … } satisfies ExperimentFile`. */
export type ExperimentFile = z.input<typeof experimentSchema>;

export type ExperimentConfig = z.output<typeof experimentSchema>;
