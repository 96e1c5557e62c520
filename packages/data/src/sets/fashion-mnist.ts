// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 28×28 grey pictures of clothes in ten balanced classes.
// The embedded subset ships with this package; the full set is read from a folder and checked by SHA-256.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import type { DatasetSplits, Statistics } from '../dataset.ts';
import { environment, readPackaged } from '../platform.ts';
import { limitFields, limitSplits } from './files.ts';
import { inDataFolders, loadIdxSet } from './idx-set.ts';
import type { IdxFiles, IdxSet } from './idx-set.ts';

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

const fullFiles: IdxFiles = {
  train: {
    images: {
      name: 'train-images-idx3-ubyte',
      sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    },
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte',
      sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    },
  },
};

/** What `scripts/cut-fashion-mnist.mjs` wrote; it prints these lines. */
const subsetFiles: IdxFiles = {
  train: {
    images: {
      name: 'train-images-idx3-ubyte',
      sha256: 'fc17b21176a070d592b9ee36def4cac9fc62752027def8b484d67ead11ed3f6d',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      sha256: '164e01fbcc34a6ec92bee891bb2fe518b21a14100d8b84e496806f434f43ea68',
    },
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte',
      sha256: '01841a95cf9de9d9513d3e7472f91f3023f041be8be9ac18e9d00cc758270491',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      sha256: '3eede88a138e22f2eff1d6d51af90580bbb6d2518f6525436169a279bfcf9d1c',
    },
  },
};

/** Sizes of the embedded subset. */
export const fashionMnistSubset = { train: 2000, test: 1000 } as const;

const whereToGet =
  'install the Debian package dataset-fashion-mnist, or fetch the four .gz files from ' +
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/ into <data folder>/fashion-mnist';

export const fashionMnistSchema = z.strictObject({
  subset: z.boolean().default(true).describe('the embedded 2,000 + 1,000 images rather than the full 60,000 + 10,000'),
  ...limitFields,
});

/**
 * Loads Fashion-MNIST: bytes of shape `[1, 28, 28]`.
 * @param place `dataDir` is the folder of data files; also searched: the environment's `ATHANOR_DATA` and the Debian package's folder.
 * @throws UserError saying where to get a missing file, or which file is damaged.
 */
export async function fashionMnist(
  options: z.input<typeof fashionMnistSchema> = {},
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const { subset, seed, ...counts } = parseOptions('fashion-mnist', fashionMnistSchema, options);
  const key = JSON.stringify({ subset, seed, counts, folders: [place.dataDir, environment('ATHANOR_DATA')] });
  if (last?.key === key) return last.splits;
  const splits = await load({ subset, seed, counts }, place);
  last = { key, splits };
  return splits;
}

/** The set that was loaded last: jobs of a sweep mostly want the same one, and take longer to unpack it than to train. */
let last: { readonly key: string; readonly splits: DatasetSplits } | undefined;

async function load(
  { subset, seed, counts }: { subset: boolean; seed: number; counts: { train?: number | undefined; test?: number | undefined } },
  place: { dataDir?: string | undefined },
): Promise<DatasetSplits> {
  const set = { classes: fashionMnistClasses, statistics: fashionMnistStatistics, remedy: whereToGet };
  const whole = await (subset ? loadIdxSet({ ...set, ...embedded }) : loadIdxSet({ ...set, ...full(place.dataDir) }));
  return limitSplits(whole, {
    ...counts,
    seed,
    ...(subset ? { larger: 'set subset: false for the full 60,000 + 10,000' } : {}),
  });
}

type Source = Pick<IdxSet, 'name' | 'files' | 'locate'>;

/** Spelled out because bundlers only follow literal addresses. */
const embeddedUrls: Readonly<Record<string, URL>> = {
  'train-images-idx3-ubyte': new URL('../../subset/fashion-mnist/train-images-idx3-ubyte.gz', import.meta.url),
  'train-labels-idx1-ubyte': new URL('../../subset/fashion-mnist/train-labels-idx1-ubyte.gz', import.meta.url),
  't10k-images-idx3-ubyte': new URL('../../subset/fashion-mnist/t10k-images-idx3-ubyte.gz', import.meta.url),
  't10k-labels-idx1-ubyte': new URL('../../subset/fashion-mnist/t10k-labels-idx1-ubyte.gz', import.meta.url),
};

const embedded: Source = {
  name: 'fashion-mnist (embedded subset)',
  files: subsetFiles,
  locate: async ({ name }) => {
    const url = embeddedUrls[name];
    return { place: `embedded ${name}.gz`, ...(url === undefined ? {} : { bytes: await readPackaged(url) }) };
  },
};

function full(dataDir: string | undefined): Source {
  const system = ['/usr/share/datasets/fashion-mnist'];
  return {
    name: 'fashion-mnist',
    files: fullFiles,
    locate: inDataFolders({ set: 'Fashion-MNIST', folder: 'fashion-mnist', dataDir, system, remedy: whereToGet }),
  };
}
