// Data sets of the MNIST family: four idx files of known contents, 28×28 grey images in ten classes.
import { createDataset, createSplits } from '../dataset.ts';
import type { Dataset, DatasetSplits, Statistics } from '../dataset.ts';
import { readIdx } from '../formats/idx.ts';
import { checkedBytes, findDataFile } from './files.ts';
import type { FindOptions, KnownFile } from './files.ts';

/** The four files; each is searched with and without `.gz`. */
export type IdxFiles = Record<'train' | 'test', { images: KnownFile; labels: KnownFile }>;

export interface IdxSet {
  readonly name: string;
  readonly files: IdxFiles;
  readonly classes: readonly string[];
  readonly statistics: Statistics;
  /** Where to get the files. */
  readonly remedy: string;
  /** The file's contents or its path. */
  readonly locate: (file: KnownFile) => Promise<{ place: string; bytes?: Uint8Array }>;
}

/** Looks for the files in data folders and the given system folders. */
export function inDataFolders(options: Omit<FindOptions, 'names'>): IdxSet['locate'] {
  return async ({ name }) => ({ place: findDataFile({ ...options, names: [`${name}.gz`, name] }) });
}

/** Reads and checks both splits. */
export async function loadIdxSet(set: IdxSet): Promise<DatasetSplits> {
  const { name, classes, statistics, remedy } = set;
  const read = async (file: KnownFile) => {
    const located = await set.locate(file);
    return readIdx(await checkedBytes({ ...located, sha256: file.sha256, remedy }), located.place);
  };
  const load = async ({ images, labels }: IdxFiles['train']): Promise<Dataset> => {
    const pictures = await read(images);
    const numbers = await read(labels);
    return createDataset({
      name,
      inputShape: [1, 28, 28],
      inputs: Uint8Array.from(pictures.data),
      labels: Int32Array.from(numbers.data),
      classes,
      statistics,
    });
  };
  return createSplits(name, await load(set.files.train), await load(set.files.test));
}
