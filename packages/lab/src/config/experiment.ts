// The schema of an experiment file. What stands inside the components is checked by their own schemas.
import { componentRef } from '@athanor/core/plugin';
import * as z from 'zod';
import { claimSchema } from '../claims/schema.ts';

const value = z.unknown();

export const experimentSchema = z.strictObject({
  question: z.string().optional().meta({ description: 'What the experiment is to find out' }),
  plugins: z
    .array(z.string())
    .default([])
    .meta({ description: 'Packages or files whose components are used; resolved from this file' }),
  backend: componentRef('backend').optional(),
  seeds: z.array(z.int().min(0)).min(1).default([0]).meta({ description: 'Every variant is run once for each' }),
  data: componentRef('dataset').optional(),
  model: componentRef('model').optional(),
  train: z.record(z.string(), value).optional().meta({ description: 'The config of the one stage `train`' }),
  stages: z.array(componentRef('stage')).min(1).optional().meta({ description: 'Stages, run in this order' }),
  sweep: z
    .strictObject({ grid: z.record(z.string(), z.array(value).min(1)) })
    .optional()
    .meta({ description: 'Variables and their values: every combination is run' }),
  claims: z.array(claimSchema).default([]).meta({ description: 'What must come out: judged by `athanor reproduce`' }),
});

export type ExperimentConfig = z.output<typeof experimentSchema>;
