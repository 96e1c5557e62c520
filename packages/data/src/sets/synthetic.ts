// Point sets in the plane: small problems whose answer one can see.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits } from '../dataset.ts';
import type { Dataset, DatasetSplits } from '../dataset.ts';
import { RandomStream, streamKey } from '../random.ts';

const commonFields = {
  train: z.int().min(1).default(1000).describe('number of training points'),
  test: z.int().min(1).default(500).describe('number of test points'),
  seed: z.int().min(0).default(0),
};
const noise = (standard: number) =>
  z.number().min(0).default(standard).describe('standard deviation of the added normal noise');

type Point = [x: number, y: number];

interface PointSet<S extends z.ZodType> {
  readonly summary: string;
  readonly schema: S;
  readonly classes: (config: z.output<S>) => number;
  /** A point of a class, before noise. */
  readonly point: (random: RandomStream, label: number, config: z.output<S>) => Point;
}

const define = <S extends z.ZodType>(set: PointSet<S>): PointSet<S> => set;

/** The sets by name; points lie about within [-2, 2]². */
export const pointSets = {
  moons: define({
    summary: 'Two half circles that reach into each other',
    schema: z.strictObject({ ...commonFields, noise: noise(0.1) }),
    classes: () => 2,
    point(random, label) {
      const angle = Math.PI * random.uniform();
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      return label === 0 ? [x - 0.5, y - 0.25] : [0.5 - x, 0.25 - y];
    },
  }),
  circles: define({
    summary: 'Circles of one centre',
    schema: z.strictObject({
      ...commonFields,
      noise: noise(0.05),
      classes: z.int().min(1).default(2).describe('number of circles'),
    }),
    classes: (config) => config.classes,
    point(random, label, config) {
      const angle = 2 * Math.PI * random.uniform();
      const radius = (label + 1) / config.classes;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    },
  }),
  spirals: define({
    summary: 'Spiral arms of one centre',
    schema: z.strictObject({
      ...commonFields,
      noise: noise(0.02),
      classes: z.int().min(1).default(2).describe('number of arms'),
      turns: z.number().positive().default(1.5).describe('turns of each arm'),
    }),
    classes: (config) => config.classes,
    point(random, label, config) {
      const along = Math.sqrt(random.uniform());
      const angle = 2 * Math.PI * (config.turns * along + label / config.classes);
      return [along * Math.cos(angle), along * Math.sin(angle)];
    },
  }),
  blobs: define({
    summary: 'Normal clouds whose centres lie evenly on the unit circle',
    schema: z.strictObject({
      ...commonFields,
      noise: noise(0.1),
      classes: z.int().min(1).default(8).describe('number of clouds'),
    }),
    classes: (config) => config.classes,
    point(_, label, config) {
      const angle = (2 * Math.PI * label) / config.classes;
      return [Math.cos(angle), Math.sin(angle)];
    },
  }),
  'swiss-roll': define({
    summary: 'A rolled-up strip seen from its edge, cut into classes along the strip',
    schema: z.strictObject({
      ...commonFields,
      noise: noise(0.02),
      classes: z.int().min(1).default(2).describe('number of pieces'),
    }),
    classes: (config) => config.classes,
    point(random, label, config) {
      const angle = 1.5 * Math.PI * (1 + (2 * (label + random.uniform())) / config.classes);
      const radius = angle / (4.5 * Math.PI);
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    },
  }),
};

/** The name of a synthetic set of points. */
export type PointSetName = keyof typeof pointSets;

/**
 * Makes a set of points of shape `[2]`, classes in turn. Each point depends on seed, split and its index alone,
 * so a larger set begins with the smaller one.
 */
export function makePoints<N extends PointSetName>(
  name: N,
  options: z.input<(typeof pointSets)[N]['schema']>,
): DatasetSplits {
  return generate(name, pointSets[name] as unknown as PointSet<z.ZodType<CommonConfig>>, options);
}

type CommonConfig = { train: number; test: number; seed: number; noise: number };

function generate(name: string, set: PointSet<z.ZodType<CommonConfig>>, options: unknown): DatasetSplits {
  const config = parseOptions(name, set.schema, options);
  const classes = Array.from({ length: set.classes(config) }, (_, label) => String(label));
  const make = (split: 'train' | 'test'): Dataset => {
    const inputs = new Float32Array(2 * config[split]);
    const labels = new Int32Array(config[split]);
    for (let index = 0; index < labels.length; index++) {
      const random = new RandomStream(streamKey(config.seed, `${name} ${split}`, index));
      const label = index % classes.length;
      const [x, y] = set.point(random, label, config);
      inputs[2 * index] = x + config.noise * random.normal();
      inputs[2 * index + 1] = y + config.noise * random.normal();
      labels[index] = label;
    }
    return createDataset({ name, inputShape: [2], inputs, labels, classes });
  };
  return createSplits(name, make('train'), make('test'));
}
