// numpy's npz format: a zip archive of npy files.
import { UserError } from '@athanor/core';
import { readNpy, writeNpy } from './npy.ts';
import type { StoredArray } from './storage.ts';
import { readZip, writeZip } from './zip.ts';

/** Most bytes that the arrays of an archive may take together. */
const unpackedLimit = 2 ** 32;

/**
 * The arrays of an npz file by name, compressed or not.
 * @throws UserError when the archive or one of its arrays is damaged, or a file in it is not an array.
 */
export async function readNpz(bytes: Uint8Array, place = 'npz data'): Promise<Map<string, StoredArray>> {
  const files = await readZip(bytes, { place, limit: unpackedLimit });
  const arrays = new Map<string, StoredArray>();
  for (const [name, contents] of files) {
    if (!name.endsWith('.npy'))
      throw new UserError(`it holds ${JSON.stringify(name)}, which is not an .npy file`, { place });
    arrays.set(name.slice(0, -'.npy'.length), readNpy(contents, `${place}: ${name}`));
  }
  return arrays;
}

/** The npz file of named arrays, not compressed. */
export function writeNpz(arrays: Iterable<readonly [string, StoredArray]>): Uint8Array {
  const files = [...arrays].map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const);
  const names = new Set(files.map(([name]) => name));
  if (names.size !== files.length) throw new UserError('two arrays of an npz file have the same name');
  return writeZip(files);
}
