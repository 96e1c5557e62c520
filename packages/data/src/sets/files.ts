// Finding the files of a data set, checking them, and taking fewer samples than there are.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { createSplits, stratified } from '../dataset.ts';
import type { DatasetSplits } from '../dataset.ts';
import { inflateIfGzip } from '../formats/idx.ts';
import { environment, exists, readFile, requireBuiltin, sha256 } from '../platform.ts';

/** A file whose decompressed contents are known. */
export interface KnownFile {
  readonly name: string;
  /** SHA-256 of the decompressed bytes, lower-case hexadecimal. */
  readonly sha256: string;
}

export interface FindOptions {
  /** The data set, for messages. */
  readonly set: string;
  /** Names that the file may have, the first found wins. */
  readonly names: readonly string[];
  /** The set's own folder inside a data folder; files may also lie in the data folder itself. */
  readonly folder: string;
  readonly dataDir?: string | undefined;
  /** Further folders that hold the files themselves. */
  readonly system?: readonly string[];
  /** Where to get the file. */
  readonly remedy: string;
}

/**
 * The path of a data file: searched in `dataDir`, then in the environment's `ATHANOR_DATA`, then in system folders.
 * @throws UserError listing the folders that were searched and where to get the file.
 */
export function findDataFile(options: FindOptions): string {
  const path = requireBuiltin('node:path', `reading ${options.set} from files`);
  const roots = [options.dataDir, environment('ATHANOR_DATA')].filter((root) => root !== undefined);
  const folders = [...roots.flatMap((root) => [path.join(root, options.folder), root]), ...(options.system ?? [])];
  for (const folder of folders) {
    for (const name of options.names) {
      const candidate = path.join(folder, name);
      if (exists(candidate)) return candidate;
    }
  }
  const searched =
    folders.length === 0 ? 'no data folder is set (option dataDir or ATHANOR_DATA)' : `searched ${folders.join(', ')}`;
  throw new UserError(`${options.set}: cannot find ${options.names.join(' or ')}; ${searched}`, {
    remedy: options.remedy,
  });
}

/**
 * The decompressed bytes of a file, checked.
 * @param file.bytes the file's contents when they are already in memory.
 * @throws UserError when the SHA-256 of the decompressed bytes is another.
 */
export async function checkedBytes(file: {
  place: string;
  bytes?: Uint8Array | undefined;
  sha256: string;
  remedy: string;
}): Promise<Uint8Array> {
  const bytes = await inflateIfGzip(file.bytes ?? readFile(file.place), file.place);
  const found = await sha256(bytes);
  if (found !== file.sha256) {
    throw new UserError(`the contents are not the known ones: SHA-256 ${found}, expected ${file.sha256}`, {
      place: file.place,
      remedy: file.remedy,
    });
  }
  return bytes;
}

/** The options of every set that can be cut down. */
export const limitFields = {
  train: z.int().min(1).optional().describe('number of training samples, stratified by class; default: all'),
  test: z.int().min(1).optional().describe('number of test samples, stratified by class; default: all'),
  seed: z.int().min(0).default(0).describe('chooses which samples when fewer than all are asked for'),
};

/**
 * Fewer samples of each part, stratified by class and chosen by `seed`.
 * @param limits.larger what to do for more samples than there are, for the error.
 */
export function limitSplits(
  splits: DatasetSplits,
  limits: { train?: number | undefined; test?: number | undefined; seed: number; larger?: string },
): DatasetSplits {
  const limit = (part: 'train' | 'test') => {
    const whole = splits[part];
    const count = limits[part] ?? whole.length;
    if (count > whole.length) {
      throw new UserError(`${part}: ${count} samples were asked for, ${splits.name} has ${whole.length}`, {
        remedy: limits.larger ?? `ask for at most ${whole.length}`,
      });
    }
    return stratified(whole, count, limits.seed);
  };
  return createSplits(splits.name, limit('train'), limit('test'));
}
