// The safetensors format: 8 bytes of header length, a JSON header, then the tensors without gaps.
// The writer's bytes are those of the reference implementation, tensors in its order.
import { UserError } from '@athanor/core';
import { repeatedKey } from './json-keys.ts';
import { arrayOverBytes, bytesOf, checkStored, elementCount, storageTypeNames, storageTypes } from './storage.ts';
import type { StorageType, StoredArray } from './storage.ts';

/** Longest header that is read, as in the reference implementation. */
const headerLimit = 100_000_000;

/** The contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredArray>;
  readonly metadata: ReadonlyMap<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: StorageType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. Tensors are views of `bytes` where it is aligned for them.
 * @param place file name for error messages.
 * @throws UserError when the header is damaged, or tensors overlap, leave gaps or do not fit their shapes.
 */
export function readSafetensors(bytes: Uint8Array, place = 'safetensors data'): Safetensors {
  const fail = (message: string): UserError => new UserError(message, { place, remedy: 'fetch or write the file again' });
  if (bytes.length < 8) throw fail(`a safetensors file has at least 8 bytes, this one has ${bytes.length}`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > headerLimit) {
    throw fail(
      `the header would be ${headerLength} bytes, over the limit of ${headerLimit}: this is not a safetensors file`,
    );
  }
  if (headerLength > bytes.length - 8) {
    throw fail(`truncated: the header has ${headerLength} bytes, of which ${bytes.length - 8} are there`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerLength), fail);
  const data = bytes.subarray(8 + headerLength);
  const metadata = readMetadata(header['__metadata__'], fail);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, fail))
    .sort((left, right) => left.begin - right.begin || left.end - right.end);

  let position = 0;
  let previous = 'the header';
  for (const { name, begin, end } of entries) {
    if (begin < position) throw fail(`tensor ${quote(name)} begins at byte ${begin}, inside ${previous}`);
    if (begin > position)
      throw fail(`there are ${begin - position} stray bytes between ${previous} and tensor ${quote(name)}`);
    if (end > data.length)
      throw fail(`truncated: tensor ${quote(name)} ends at byte ${end} of the data, of which ${data.length} are there`);
    position = end;
    previous = `tensor ${quote(name)}`;
  }
  if (position !== data.length) throw fail(`there are ${data.length - position} stray bytes behind ${previous}`);

  const tensors = new Map<string, StoredArray>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, arrayOverBytes(dtype, shape, data.subarray(begin, end), `${place}: tensor ${quote(name)}`));
  }
  return { tensors, metadata };
}

/**
 * The safetensors file of named arrays.
 * @throws UserError when an array does not fill its shape, or a name is reserved.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, StoredArray]>,
  metadata: Iterable<readonly [string, string]> = [],
): Uint8Array {
  const rank = (array: StoredArray) => storageTypeNames.indexOf(array.dtype);
  const entries = [...tensors].sort(([leftName, left], [rightName, right]) => {
    return rank(left) - rank(right) || (leftName < rightName ? -1 : leftName > rightName ? 1 : 0);
  });
  const fields: Array<[string, unknown]> = [];
  const pairs = [...metadata];
  if (pairs.length > 0) fields.push(['__metadata__', Object.fromEntries(pairs)]);
  let length = 0;
  for (const [name, array] of entries) {
    if (name === '__metadata__') throw new UserError('no tensor can be named __metadata__ in a safetensors file');
    checkStored(name, array);
    const begin = length;
    length += array.data.byteLength;
    fields.push([
      name,
      { dtype: storageTypes[array.dtype].safetensors, shape: array.shape, data_offsets: [begin, length] },
    ]);
  }
  // Written by hand because an object would move keys like "0" to the front.
  const text = `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new UserError(`there are two tensors named ${quote(repeated)}`);
  const encoded = new TextEncoder().encode(text);
  const headerLength = Math.ceil(encoded.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(encoded, 8);
  bytes.fill(0x20, 8 + encoded.length, 8 + headerLength);
  let position = 8 + headerLength;
  for (const [, array] of entries) {
    bytes.set(bytesOf(array), position);
    position += array.data.byteLength;
  }
  return bytes;
}

type Fail = (message: string) => UserError;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw fail('the header does not begin with {: this is not a safetensors file');
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw fail(`the header is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(header)) throw fail('the header is not a JSON object');
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw fail(`the header has ${quote(repeated)} twice`);
  return header;
}

function readMetadata(value: unknown, fail: Fail): Map<string, string> {
  if (value === undefined) return new Map();
  if (!isRecord(value)) throw fail('__metadata__ is not an object of texts');
  return new Map(
    Object.entries(value).map(([key, text]) => {
      if (typeof text !== 'string') throw fail(`__metadata__ ${quote(key)} is not a text`);
      return [key, text];
    }),
  );
}

function readEntry(name: string, value: unknown, fail: Fail): Entry {
  const wrong = (what: string) => fail(`tensor ${quote(name)}: ${what}`);
  if (!isRecord(value)) throw wrong('its entry is not an object');
  const dtype = storageTypeNames.find((type) => storageTypes[type].safetensors === value['dtype']);
  if (dtype === undefined) {
    const known = storageTypeNames.map((type) => storageTypes[type].safetensors).join(', ');
    throw wrong(`unknown dtype ${show(value['dtype'])}; known are ${known}`);
  }
  const shape = wholeNumbers(value['shape']);
  const count = shape === undefined ? undefined : elementCount(shape);
  if (shape === undefined || count === undefined) throw wrong(`${show(value['shape'])} is not a shape`);
  const [begin, end, ...more] = wholeNumbers(value['data_offsets']) ?? [];
  if (begin === undefined || end === undefined || more.length > 0 || end < begin) {
    throw wrong(`${show(value['data_offsets'])} is not a pair of offsets`);
  }
  const needed = count * storageTypes[dtype].bytes;
  if (end - begin !== needed) {
    throw wrong(
      `shape [${shape.join(', ')}] of ${storageTypes[dtype].safetensors} needs ${needed} bytes, its offsets span ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function wholeNumbers(value: unknown): number[] | undefined {
  const whole = (item: unknown): item is number => Number.isSafeInteger(item) && Number(item) >= 0;
  return Array.isArray(value) && value.every(whole) ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const quote = (text: string): string => JSON.stringify(shorten(text));
const show = (value: unknown): string => shorten(JSON.stringify(value) ?? 'nothing');
const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);
