// The engine's schedules as components: the factor on the learning rate at each step.
import { Plateau, schedules as engine } from '@athanor/core/nn';
import type { PlateauState, Schedule } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import type { LearningRateSchedule } from '@athanor/core/plugin';
import * as z from 'zod';

const warmup = z.int().min(0).default(0).meta({ description: 'steps over which the factor rises from 0 to its value' });
const share = z.number().min(0).max(1);
const floor = share.default(0);
const metrics = ['train.loss', 'validation.loss', 'validation.accuracy', 'test.loss', 'test.accuracy'] as const;

/** What `make` gives for the steps after the warm-up, with the warm-up before it. */
function warmed(rise: number, steps: number, make: (left: number) => Schedule): Schedule {
  const then = make(Math.max(1, steps - rise));
  return rise === 0 ? then : engine.warmup(rise, then);
}

/** One component for each schedule of the engine. */
export const schedules = [
  component({
    kind: 'schedule',
    name: 'constant',
    summary: 'One learning rate, after an optional linear warm-up',
    schema: z.strictObject({ warmup }),
    create: (config, { steps }) => warmed(config.warmup, steps, engine.constant),
  }),
  component({
    kind: 'schedule',
    name: 'step',
    summary: 'Multiplies by `factor` at given shares of the run (He et al. 2016: a tenth at 1/2 and 3/4), or every so many steps',
    schema: z
      .strictObject({
        warmup,
        at: z.array(share).optional().meta({ description: 'shares of the run, from 0 to 1; default [0.5, 0.75]' }),
        every: z.int().min(1).optional().meta({ description: 'instead of `at`: a number of steps' }),
        factor: z.number().positive().default(0.1),
      })
      .refine(({ at, every }) => at === undefined || every === undefined, { path: ['every'], message: 'write either at or every, not both' }),
    create: ({ warmup: rise, at = [0.5, 0.75], every, factor: gamma }, { steps }) =>
      warmed(rise, steps, () =>
        every === undefined ? engine.multiStep({ milestones: at.map((part) => part * steps - rise), gamma }) : engine.step({ size: every, gamma }),
      ),
  }),
  component({
    kind: 'schedule',
    name: 'exponential',
    summary: 'Falls by the same factor at every step, from 1 to `end`',
    schema: z.strictObject({ warmup, end: z.number().positive().default(0.01).meta({ description: 'the factor when the run ends' }) }),
    create: ({ warmup: rise, end }, { steps }) => warmed(rise, steps, (left) => engine.exponential({ gamma: end ** (1 / left) })),
  }),
  component({
    kind: 'schedule',
    name: 'linear',
    summary: 'A straight line from `start` to `end`',
    schema: z.strictObject({ warmup, start: z.number().min(0).default(1), end: z.number().min(0).default(0) }),
    create: ({ warmup: rise, start, end }, { steps }) => warmed(rise, steps, (left) => engine.linear({ start, end, steps: left })),
  }),
  component({
    kind: 'schedule',
    name: 'polynomial',
    summary: '(1 − t)ᵖ, where t is the share of the run that is done',
    schema: z.strictObject({ warmup, power: z.number().positive().default(1) }),
    create: ({ warmup: rise, power }, { steps }) => warmed(rise, steps, (left) => engine.polynomial({ steps: left, power })),
  }),
  component({
    kind: 'schedule',
    name: 'cosine',
    summary: 'Half a cosine from 1 down to `floor` (Loshchilov & Hutter 2017, without restarts)',
    schema: z.strictObject({ warmup, floor }),
    create: (config, { steps }) => warmed(config.warmup, steps, (left) => engine.cosine({ steps: left, floor: config.floor })),
  }),
  component({
    kind: 'schedule',
    name: 'one-cycle',
    summary: 'Up along half a cosine, then down along another (Smith & Topin 2019)',
    schema: z.strictObject({
      rise: share.default(0.3).meta({ description: 'share of the run that goes up' }),
      start: z.number().positive().max(1).default(1 / 25).meta({ description: 'the factor at the first step' }),
      end: share.default(1 / 25e4).meta({ description: 'the factor at the last step' }),
    }),
    create: (config, { steps }) => engine.oneCycle({ steps, ...config }),
  }),
  component({
    kind: 'schedule',
    name: 'inverse-square-root',
    summary: '1 / √step after a straight rise to 1 (Vaswani et al. 2017)',
    schema: z.strictObject({ warmup: z.int().min(1).meta({ description: 'steps up to the peak' }) }),
    create: (config) => engine.inverseSquareRoot(config),
  }),
  component({
    kind: 'schedule',
    name: 'plateau',
    summary: 'Falls when a metric stops improving, judged at each evaluation',
    schema: z.strictObject({
      warmup,
      metric: z.enum(metrics).default('train.loss').meta({ description: 'train.loss is the mean since the last evaluation' }),
      factor: z.number().positive().lt(1).default(0.1),
      patience: z.int().min(0).default(10).meta({ description: 'evaluations in a row that may fail to improve' }),
      threshold: z.number().min(0).default(1e-4).meta({ description: 'share of the best value by which a better one must differ' }),
      cooldown: z.int().min(0).default(0).meta({ description: 'evaluations after a fall that are not judged' }),
      floor,
    }),
    create: ({ warmup: rise, metric, ...options }) => plateau(rise, metric, options),
  }),
];

function plateau(rise: number, metric: (typeof metrics)[number], options: ConstructorParameters<typeof Plateau>[0]): LearningRateSchedule {
  const watcher = new Plateau({ ...options, mode: metric.endsWith('accuracy') ? 'max' : 'min' });
  const factor = engine.warmup(rise, () => watcher.factor);
  const feedback = {
    metric,
    observe: (value: number) => void watcher.step(value),
    // JSON has no infinity, with which the best value begins.
    state: () => ({ ...watcher.state(), best: Number.isFinite(watcher.state().best) ? watcher.state().best : null }),
    restore: (state: unknown) => {
      const saved = state as Omit<PlateauState, 'best'> & { readonly best: number | null };
      watcher.loadState({ ...saved, best: saved.best ?? watcher.state().best });
    },
  };
  return Object.assign((step: number) => factor(step), { feedback });
}
