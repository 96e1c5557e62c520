// A folder of pictures as a data set: one sub-folder a class, optionally under train/ and test/.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits, measureStatistics, splitDataset } from '../dataset.ts';
import type { Dataset, DatasetSplits } from '../dataset.ts';
import { exists, requireBuiltin } from '../platform.ts';
import { decodeAll, imageDecoder } from './images.ts';
import type { DecodeImage } from './images.ts';

export const imageFolderSchema = z.strictObject({
  folder: z
    .string()
    .describe(
      'holds one folder a class, or train/ and test/ that do; relative to the data folder or the working folder',
    )
    .meta({ file: true }),
  size: z.int().min(1).default(32).describe('side in pixels to which every picture is brought'),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe('3 for colour, 1 for grey'),
  fit: z
    .enum(['cover', 'contain', 'fill'])
    .default('cover')
    .describe('cover cuts, contain adds borders, fill stretches'),
  background: z.string().default('white').describe('colour behind transparent pictures and in borders'),
  testFraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('share of the pictures that become the test part, where there is no test/'),
  seed: z.int().min(0).default(0).describe('chooses the test pictures'),
});

const picture = /\.(png|jpe?g|webp|gif|avif|tiff?)$/i;

/**
 * Loads pictures as bytes of shape `[C, size, size]`, files in the order of their names.
 * @throws UserError for missing folders, classes without pictures, and damaged pictures.
 */
export async function imageFolder(
  options: z.input<typeof imageFolderSchema>,
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const { folder, testFraction, seed, ...config } = parseOptions('image-folder', imageFolderSchema, options);
  const path = requireBuiltin('node:path', 'reading a folder of pictures');
  const root = path.resolve(place.dataDir ?? '.', folder);
  if (!exists(root)) {
    throw new UserError('there is no such folder', {
      place: root,
      remedy: 'folder is taken from the data folder if one is given, else from the working folder',
    });
  }
  const decode = await imageDecoder(config);
  const inputShape = [config.channels, config.size, config.size];
  const hasParts = exists(path.join(root, 'train')) && exists(path.join(root, 'test'));
  if (!hasParts)
    return withStatistics(splitDataset(await readClasses(root, inputShape, decode), { testFraction, seed }));
  const train = await readClasses(path.join(root, 'train'), inputShape, decode);
  const test = await readClasses(path.join(root, 'test'), inputShape, decode);
  return withStatistics(createSplits(root, train, test));
}

/** The splits with the statistics of the training part. */
export function withStatistics(splits: DatasetSplits): DatasetSplits {
  const measured = measureStatistics(splits.train);
  const statistics = { mean: measured.mean, std: measured.std.map((value) => (value === 0 ? 1 : value)) };
  return createSplits(splits.name, { ...splits.train, statistics }, { ...splits.test, statistics });
}

async function readClasses(root: string, inputShape: readonly number[], decode: DecodeImage): Promise<Dataset> {
  const fs = requireBuiltin('node:fs', 'reading a folder of pictures');
  const path = requireBuiltin('node:path', 'reading a folder of pictures');
  const folders = fs.readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const classes = folders.map((entry) => entry.name).sort();
  if (classes.length === 0)
    throw new UserError('it holds no folders', { place: root, remedy: 'put the pictures of each class into a folder of its own' });
  const files: string[] = [];
  const labels: number[] = [];
  classes.forEach((name, label) => {
    const names = fs
      .readdirSync(path.join(root, name))
      .filter((file) => picture.test(file))
      .sort();
    if (names.length === 0)
      throw new UserError('no pictures (png, jpg, webp, gif, avif, tiff) in this class', {
        place: path.join(root, name),
      });
    for (const file of names) {
      files.push(path.join(root, name, file));
      labels.push(label);
    }
  });
  const size = inputShape.reduce((product, length) => product * length, 1);
  const inputs = await decodeAll(files, decode, size);
  return createDataset({ name: root, inputShape, inputs, labels: Int32Array.from(labels), classes });
}
