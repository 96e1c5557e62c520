// numpy's arrays as data sets: an .npz file with inputs and labels of both parts, as Keras keeps its sets.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits, splitDataset } from '../dataset.ts';
import type { Dataset, DatasetSplits } from '../dataset.ts';
import { toFloat32, toInt32 } from '../formats/convert.ts';
import { readNpz } from '../formats/npz.ts';
import type { StoredArray } from '../formats/storage.ts';
import { exists, readFile, requireBuiltin } from '../platform.ts';
import { limitFields, limitSplits } from './files.ts';
import { withStatistics } from './image-folder.ts';

export const npzSchema = z.strictObject({
  file: z.string().describe('an .npz file, relative to the data folder or the working folder').meta({ file: true }),
  inputs: z.string().default('x_train').describe('the array of training inputs [N, …]'),
  labels: z.string().default('y_train').describe('the array of their labels [N], whole numbers from 0'),
  testInputs: z.string().default('x_test').describe('the array of test inputs; where it is not there, rows are split off'),
  testLabels: z.string().default('y_test'),
  channels: z
    .enum(['first', 'last', 'none'])
    .default('none')
    .describe('where samples have their axis of channels; none: one is added to pictures [H, W]'),
  classes: z.array(z.string()).min(1).optional().describe('names of the classes; default: their numbers'),
  testFraction: z.number().gt(0).lt(1).default(0.2).describe('share of the rows that become the test part, where the file has none'),
  ...limitFields,
});

type NpzOptions = z.output<typeof npzSchema>;

/**
 * Loads a set from an npz file: uint8 inputs stay bytes, all others become float32.
 * @throws UserError naming the file, and the array that is missing or does not fit.
 */
export async function npzSplits(
  options: z.input<typeof npzSchema>,
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const config = parseOptions('npz', npzSchema, options);
  const path = requireBuiltin('node:path', 'reading an npz file').resolve(place.dataDir ?? '.', config.file);
  if (!exists(path)) {
    throw new UserError('there is no such file', {
      place: path,
      remedy: 'file is taken from the data folder if one is given, else from the working folder',
    });
  }
  return npzDataset(await readNpz(readFile(path), path), path, config);
}

function npzDataset(arrays: ReadonlyMap<string, StoredArray>, place: string, config: NpzOptions): DatasetSplits {
  const { inputs, labels, testInputs, testLabels, testFraction, seed, train, test } = config;
  const numbers = (name: string) => classLabels(named(arrays, name, place), `${place}: ${name}`);
  const own = numbers(labels);
  const other = arrays.has(testInputs) ? numbers(testLabels) : undefined;
  let largest = 0;
  for (const label of [...own, ...(other ?? [])]) largest = Math.max(largest, label);
  const classes = config.classes ?? Array.from({ length: largest + 1 }, (_, index) => String(index));
  const part = (name: string, list: Int32Array): Dataset =>
    createDataset({ name: place, ...samples(named(arrays, name, place), `${place}: ${name}`, config), labels: list, classes });
  const whole =
    other === undefined
      ? splitDataset(part(inputs, own), { testFraction, seed })
      : createSplits(place, part(inputs, own), part(testInputs, other));
  return withStatistics(limitSplits(whole, { train, test, seed }));
}

function named(arrays: ReadonlyMap<string, StoredArray>, name: string, place: string): StoredArray {
  const array = arrays.get(name);
  if (array === undefined) {
    throw new UserError(`there is no array ${JSON.stringify(name)}; the arrays are ${[...arrays.keys()].join(', ')}`, {
      place,
      remedy: 'name them with inputs, labels, testInputs and testLabels',
    });
  }
  return array;
}

function classLabels(array: StoredArray, place: string): Int32Array {
  const flat = array.shape.length === 1 || (array.shape.length === 2 && array.shape[1] === 1);
  if (!flat) throw new UserError(`labels of shape [${array.shape.join(', ')}]`, { place, remedy: 'they are one number a sample: [N]' });
  return toInt32(array, place);
}

function samples(array: StoredArray, place: string, { channels }: NpzOptions): Pick<Dataset, 'inputs' | 'inputShape'> {
  const [, ...shape] = array.shape;
  if (array.shape.length < 2) {
    throw new UserError(`inputs of shape [${array.shape.join(', ')}]`, { place, remedy: 'they are [N, features], [N, H, W] or [N, C, H, W]' });
  }
  const inputs = array.dtype === 'uint8' ? array.data : toFloat32(array, place);
  if (channels === 'none') return { inputs, inputShape: shape.length === 2 ? [1, ...shape] : shape };
  if (channels === 'first' || shape.length < 2) return { inputs, inputShape: shape };
  const depth = shape.at(-1) ?? 1;
  return { inputs: planesFirst(inputs, depth, shape.slice(0, -1).reduce((a, b) => a * b, 1)), inputShape: [depth, ...shape.slice(0, -1)] };
}

/** [N, plane, depth] as [N, depth, plane]. */
function planesFirst(values: Uint8Array | Float32Array, depth: number, plane: number): Uint8Array | Float32Array {
  const turned = values.slice();
  const size = depth * plane;
  for (let start = 0; start < values.length; start += size) {
    for (let at = 0; at < plane; at++) {
      for (let channel = 0; channel < depth; channel++) {
        turned[start + channel * plane + at] = values[start + at * depth + channel] ?? 0;
      }
    }
  }
  return turned;
}
