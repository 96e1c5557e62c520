// The idx format of the MNIST family: two zero bytes, a type, a rank, big-endian sizes, big-endian values.
import { UserError } from '@athanor/core';
import { decompress } from '../platform.ts';

type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** An array read from, or to be written as, idx. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: IdxData;
}

const types: ReadonlyArray<{ code: number; bytes: number; Data: new (buffer: ArrayBuffer) => IdxData }> = [
  { code: 0x08, bytes: 1, Data: Uint8Array },
  { code: 0x09, bytes: 1, Data: Int8Array },
  { code: 0x0b, bytes: 2, Data: Int16Array },
  { code: 0x0c, bytes: 4, Data: Int32Array },
  { code: 0x0d, bytes: 4, Data: Float32Array },
  { code: 0x0e, bytes: 8, Data: Float64Array },
];

/** Most bytes that a compressed idx file may unpack to. */
const decompressedLimit = 2 ** 31 - 1;

/**
 * Reads an idx array; the result does not share memory with `bytes`.
 * @param place file name for error messages.
 * @throws UserError when the header is not idx or the data is not exactly as long as it says.
 */
export function readIdx(bytes: Uint8Array, place = 'idx data'): IdxArray {
  const fail = (message: string): UserError =>
    new UserError(message, { place, remedy: 'fetch the file again; idx files are uncompressed or gzip' });
  if (bytes.length < 4) throw fail(`an idx file has at least 4 bytes, this one has ${bytes.length}`);
  const [zero0, zero1, code, rank] = bytes;
  if (zero0 !== 0 || zero1 !== 0 || code === undefined || rank === undefined) {
    throw fail(`an idx file begins with two zero bytes, this one with ${zero0} and ${zero1}`);
  }
  const type = types.find((candidate) => candidate.code === code);
  if (type === undefined) throw fail(`unknown idx element type 0x${code.toString(16).padStart(2, '0')}`);
  const header = 4 + 4 * rank;
  if (bytes.length < header)
    throw fail(`truncated header: ${rank} sizes need ${header} bytes, there are ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = header + type.bytes * shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) {
    const relation = bytes.length < expected ? 'truncated' : 'too long';
    throw fail(`${relation}: shape [${shape.join(', ')}] needs ${expected} bytes, there are ${bytes.length}`);
  }
  const buffer = new ArrayBuffer(expected - header);
  const target = new Uint8Array(buffer);
  target.set(bytes.subarray(header));
  swapBytes(target, type.bytes);
  return { shape, data: new type.Data(buffer) };
}

/** Reads an idx array from bytes that may be gzip-compressed (they are recognised by their first two bytes). */
export async function readIdxFile(bytes: Uint8Array, place = 'idx data'): Promise<IdxArray> {
  return readIdx(await inflateIfGzip(bytes, place), place);
}

/** The decompressed bytes of a gzip file, or the bytes themselves when they are not gzip. */
export async function inflateIfGzip(bytes: Uint8Array, place: string): Promise<Uint8Array> {
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return compressed ? decompress(bytes, 'gzip', { limit: decompressedLimit, place }) : bytes;
}

/** The idx file of an array. */
export function writeIdx(array: IdxArray): Uint8Array {
  const { shape, data } = array;
  const type = types.find((candidate) => data instanceof candidate.Data);
  if (type === undefined) throw new UserError('idx holds uint8, int8, int16, int32, float32 or float64 values');
  const length = shape.reduce((product, size) => product * size, 1);
  if (shape.length > 255 || length !== data.length) {
    throw new UserError(`shape [${shape.join(', ')}] does not fit ${data.length} values`);
  }
  const header = 4 + 4 * shape.length;
  const bytes = new Uint8Array(header + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[2] = type.code;
  bytes[3] = shape.length;
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  const body = bytes.subarray(header);
  body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  swapBytes(body, type.bytes);
  return bytes;
}

/** Turns big-endian elements into little-endian ones or back, in place. */
function swapBytes(bytes: Uint8Array, size: number): void {
  if (size === 1) return;
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}
