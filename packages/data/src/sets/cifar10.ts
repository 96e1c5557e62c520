// CIFAR-10 (Krizhevsky 2009) in its binary format: records of one label byte and 3×32×32 pixel bytes.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits } from '../dataset.ts';
import type { Dataset, DatasetSplits, Statistics } from '../dataset.ts';
import { checkedBytes, findDataFile, limitFields, limitSplits } from './files.ts';
import type { KnownFile } from './files.ts';

/** The names of CIFAR-10's classes in the order of their labels. */
export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const statistics: Statistics = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
const pixels = 3 * 32 * 32;

/** The files of each split, in order. */
const officialFiles: Record<'train' | 'test', readonly KnownFile[]> = {
  train: [
    { name: 'data_batch_1.bin', sha256: 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5' },
    { name: 'data_batch_2.bin', sha256: 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed' },
    { name: 'data_batch_3.bin', sha256: 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67' },
    { name: 'data_batch_4.bin', sha256: '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48' },
    { name: 'data_batch_5.bin', sha256: '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add' },
  ],
  test: [{ name: 'test_batch.bin', sha256: '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b' }],
};

const whereToGet =
  'fetch https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz and unpack it in the data folder (it makes cifar-10-batches-bin)';

export const cifar10Schema = z.strictObject(limitFields);

/**
 * Loads CIFAR-10: bytes of shape `[3, 32, 32]`, 50,000 + 10,000.
 * @throws UserError saying where to get a missing file, or which file is damaged.
 */
export async function cifar10(
  options: z.input<typeof cifar10Schema> = {},
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const limits = parseOptions('cifar10', cifar10Schema, options);
  return limitSplits(await readCifar10(officialFiles, place.dataDir), limits);
}

/** Reads the given files of both splits. */
export async function readCifar10(
  files: Record<'train' | 'test', readonly KnownFile[]>,
  dataDir: string | undefined,
): Promise<DatasetSplits> {
  const load = async (known: readonly KnownFile[]): Promise<Dataset> => {
    const parts: Uint8Array[] = [];
    for (const { name, sha256 } of known) {
      const path = findDataFile({
        set: 'CIFAR-10',
        names: [name],
        folder: 'cifar-10-batches-bin',
        dataDir,
        remedy: whereToGet,
      });
      parts.push(await checkedBytes({ place: path, sha256, remedy: whereToGet }));
    }
    const records = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      records.set(part, at);
      at += part.length;
    }
    return decodeCifar10(records);
  };
  return createSplits('cifar10', await load(files.train), await load(files.test));
}

/**
 * The samples of CIFAR-10 records.
 * @throws UserError when the bytes are not whole records, or a label is not 0 … 9.
 */
export function decodeCifar10(records: Uint8Array): Dataset {
  const count = records.length / (1 + pixels);
  if (!Number.isInteger(count)) {
    throw new UserError(
      `CIFAR-10 records have ${1 + pixels} bytes; ${records.length} bytes are not a whole number of them`,
    );
  }
  const inputs = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const start = row * (1 + pixels);
    labels[row] = records[start] ?? 0;
    inputs.set(records.subarray(start + 1, start + 1 + pixels), row * pixels);
  }
  return createDataset({
    name: 'cifar10',
    inputShape: [3, 32, 32],
    inputs,
    labels,
    classes: cifar10Classes,
    statistics,
  });
}
