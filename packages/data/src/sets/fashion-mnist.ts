// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 28×28 grey pictures of clothes in ten balanced classes.
// The embedded subset ships with this package; the full set is read from a folder and checked by SHA-256.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits } from '../dataset.ts';
import type { Dataset, DatasetSplits, Statistics } from '../dataset.ts';
import { readIdx } from '../formats/idx.ts';
import { checkedIdxBytes, findDataFile, limitSplits } from './files.ts';
import type { KnownFile } from './files.ts';
import { readPackaged } from '../platform.ts';

/** The ten classes, in label order. */
export const fashionMnistClasses = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** Of the 60,000 training images, scaled to [0, 1]. The subset uses them too, so that results compare. */
export const fashionMnistStatistics: Statistics = { mean: [0.286], std: [0.353] };

type Part = 'train' | 'test';
type Files = Record<Part, { images: KnownFile; labels: KnownFile }>;

const fullFiles: Files = {
  train: {
    images: { name: 'train-images-idx3-ubyte', sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888' },
    labels: { name: 'train-labels-idx1-ubyte', sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9' },
  },
  test: {
    images: { name: 't10k-images-idx3-ubyte', sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b' },
    labels: { name: 't10k-labels-idx1-ubyte', sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34' },
  },
};

/** What `scripts/cut-fashion-mnist.mjs` wrote; it prints these lines. */
const subsetFiles: Files = {
  train: {
    images: { name: 'train-images-idx3-ubyte', sha256: 'fc17b21176a070d592b9ee36def4cac9fc62752027def8b484d67ead11ed3f6d' },
    labels: { name: 'train-labels-idx1-ubyte', sha256: '164e01fbcc34a6ec92bee891bb2fe518b21a14100d8b84e496806f434f43ea68' },
  },
  test: {
    images: { name: 't10k-images-idx3-ubyte', sha256: '01841a95cf9de9d9513d3e7472f91f3023f041be8be9ac18e9d00cc758270491' },
    labels: { name: 't10k-labels-idx1-ubyte', sha256: '3eede88a138e22f2eff1d6d51af90580bbb6d2518f6525436169a279bfcf9d1c' },
  },
};

/** Sizes of the embedded subset. */
export const fashionMnistSubset = { train: 2000, test: 1000 } as const;

const whereToGet =
  'install the Debian package dataset-fashion-mnist, or fetch the four .gz files from ' +
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/ into <data folder>/fashion-mnist';

export const fashionMnistSchema = z.strictObject({
  subset: z.boolean().default(true).describe('the embedded 2,000 + 1,000 images rather than the full 60,000 + 10,000'),
  train: z.int().min(1).optional().describe('number of training images, stratified by class; default: all'),
  test: z.int().min(1).optional().describe('number of test images, stratified by class; default: all'),
  seed: z.int().min(0).default(0).describe('chooses which images when fewer than all are asked for'),
});

/**
 * Loads Fashion-MNIST: bytes of shape `[1, 28, 28]`.
 * @param place.dataDir folder of data files; also searched: the environment's `ATHANOR_DATA` and the Debian package's folder.
 * @throws UserError saying where to get a missing file, or which file is damaged.
 */
export async function fashionMnist(
  options: z.input<typeof fashionMnistSchema> = {},
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const { subset, seed, ...counts } = parseOptions('fashion-mnist', fashionMnistSchema, options);
  const name = subset ? 'fashion-mnist (embedded subset)' : 'fashion-mnist';
  const load = async (part: Part): Promise<Dataset> => {
    const files = (subset ? subsetFiles : fullFiles)[part];
    const read = async (file: KnownFile) => {
      const path = subset ? `embedded ${file.name}.gz` : findFull(file.name, place.dataDir);
      const bytes = subset ? await readPackaged(`../../subset/fashion-mnist/${file.name}.gz`, import.meta.url) : undefined;
      return readIdx(await checkedIdxBytes({ place: path, bytes, sha256: file.sha256, remedy: whereToGet }), path);
    };
    const images = await read(files.images);
    const labels = await read(files.labels);
    return createDataset({
      name,
      inputShape: [1, 28, 28],
      inputs: Uint8Array.from(images.data),
      labels: Int32Array.from(labels.data),
      classes: fashionMnistClasses,
      statistics: fashionMnistStatistics,
    });
  };
  const whole = createSplits(name, await load('train'), await load('test'));
  return limitSplits(whole, { ...counts, seed, ...(subset ? { larger: 'set subset: false for the full 60,000 + 10,000' } : {}) });
}

function findFull(name: string, dataDir: string | undefined): string {
  return findDataFile({
    set: 'Fashion-MNIST',
    names: [`${name}.gz`, name],
    folder: 'fashion-mnist',
    dataDir,
    system: ['/usr/share/datasets/fashion-mnist'],
    remedy: whereToGet,
  });
}
