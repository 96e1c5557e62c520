// Reparametrizations of weights, as components of a kind of their own and, for models that take a `norm` only, as norms
// that wrap the layer in front of them.
import { component, type AnyComponent } from '@athanor/core/plugin';
import * as z from 'zod';
import { CrossIterationBatchNorm } from '../batch/cross-batch.ts';
import { wrappingNorm } from '../weights/as-norm.ts';
import { CosineNorm } from '../weights/cosine.ts';
import type { Reparametrization } from '../weights/layer.ts';
import { PropagatedLayer } from '../weights/propagation.ts';
import { SpectralNorm } from '../weights/spectral.ts';
import { ScaledWeightStandardization, WeightStandardization } from '../weights/standardization.ts';
import { WeightNorm } from '../weights/weight-norm.ts';
import { placement } from './shared.ts';

const eps = (value: number): z.ZodDefault<z.ZodNumber> => z.number().min(0).default(value);

interface Definition<S extends z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly schema: S;
  readonly create: (config: z.output<S>) => Reparametrization;
}

/** The same choice under both kinds. */
function bothKinds<S extends z.ZodType>({ create, ...definition }: Definition<S>): AnyComponent[] {
  return [
    component({ ...definition, kind: 'reparametrization', create: (config) => create(config) }),
    component({ ...definition, kind: 'norm', create: (config) => wrappingNorm(definition.name, create(config)) }),
  ];
}

/** Methods that work on weights. */
export const weightComponents: AnyComponent[] = [
  bothKinds({
    name: 'weight',
    summary: 'Weight normalization: length and direction apart (Salimans & Kingma 2016)',
    schema: z.strictObject({ init: z.enum(['preserve', 'unit']).default('preserve').meta({ description: 'the length at the start: that of the weights, or 1' }) }),
    create: (config) => (layer) => new WeightNorm(layer, config),
  }),
  bothKinds({
    name: 'standardization',
    summary: 'Weight standardization (Qiao et al. 2019)',
    schema: z.strictObject({
      eps: eps(1e-5),
      placement: placement.default('outside'),
      unbiased: z.boolean().default(true),
    }),
    create: (config) => (layer) => new WeightStandardization(layer, config),
  }),
  bothKinds({
    name: 'scaled-standardization',
    summary: 'Scaled weight standardization (Brock, De & Smith 2021)',
    schema: z.strictObject({ eps: eps(1e-4) }),
    create: (config) => (layer) => new ScaledWeightStandardization(layer, config),
  }),
  bothKinds({
    name: 'spectral',
    summary: 'Spectral normalization (Miyato et al. 2018)',
    schema: z.strictObject({ iterations: z.int().min(1).default(1).meta({ description: 'power iterations per training step' }) }),
    create: (config) => (layer) => new SpectralNorm(layer, config),
  }),
  bothKinds({
    name: 'cosine',
    summary: 'Cosine normalization (Luo et al. 2017)',
    schema: z.strictObject({
      centered: z.boolean().default(false).meta({ description: 'Pearson’s correlation instead of the cosine' }),
      gain: z.enum(['none', 'sqrtFanIn', 'learned']).default('sqrtFanIn').meta({ description: 'what the cosine is multiplied with' }),
      eps: eps(1e-6),
    }),
    create: (config) => (layer) => new CosineNorm(layer, config),
  }),
  bothKinds({
    name: 'propagation',
    summary: 'The layers of normalization propagation (Arpit et al. 2016)',
    schema: z.strictObject({ gain: z.number().positive().default(1).meta({ description: 'length of the weights at the start' }) }),
    create: (config) => (layer) => new PropagatedLayer(layer, config),
  }),
  bothKinds({
    name: 'cross-iteration',
    summary: 'The layer and batch normalization over the last iterations, corrected for the change of its weights (Yao et al. 2020)',
    schema: z.strictObject({
      window: z.int().min(1).default(4).meta({ description: 'iterations, the current one included' }),
      burnIn: z.int().min(0).default(0).meta({ description: 'training steps before the window opens' }),
      compensate: z.boolean().default(true),
      eps: eps(1e-5),
      placement,
      momentum: z.number().min(0).max(1).default(0.1),
    }),
    create: (config) => (layer) => new CrossIterationBatchNorm(layer, config),
  }),
].flat();
