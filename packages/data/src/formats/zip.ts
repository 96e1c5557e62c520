// Zip archives, as far as npz needs them: stored or deflated entries, checked by CRC-32. No encryption, no zip64 sizes.
import { UserError } from '@athanor/core';
import { decompress } from '../platform.ts';

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
/** 1 January 1980, the earliest that zip can say: the same contents give the same file. */
const fixedDate = 0x21;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * The files in an archive, by name, in the archive's order.
 * @param options.limit most bytes that the files may unpack to together.
 * @throws UserError when the archive is damaged, encrypted, or unpacks to more than the limit.
 */
export async function readZip(
  bytes: Uint8Array,
  options: { place: string; limit: number },
): Promise<Map<string, Uint8Array>> {
  const { place } = options;
  const fail = (message: string): UserError => new UserError(message, { place, remedy: 'fetch or write the file again' });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end === undefined) throw fail('not a zip archive, or truncated: its directory is missing');
  const count = view.getUint16(end + 10, true);
  const directoryLength = view.getUint32(end + 12, true);
  let at = view.getUint32(end + 16, true);
  if (at + directoryLength > end) throw fail('the directory of the zip archive lies outside the file');

  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (let entry = 0; entry < count; entry++) {
    if (at + 46 > end || view.getUint32(at, true) !== centralSignature)
      throw fail(`directory entry ${entry} of the zip archive is damaged`);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const crc = view.getUint32(at + 16, true);
    const packed = view.getUint32(at + 20, true);
    const unpacked = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const skipped = view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const local = view.getUint32(at + 42, true);
    if (at + 46 + nameLength > end) throw fail(`directory entry ${entry} of the zip archive is damaged`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + skipped;
    if (files.has(name)) throw fail(`the zip archive has ${JSON.stringify(name)} twice`);
    if (flags & 1) throw fail(`${JSON.stringify(name)} is encrypted`);
    if (packed === 0xffffffff || unpacked === 0xffffffff || local === 0xffffffff)
      throw fail(`${JSON.stringify(name)} is over 4 GiB`);
    total += unpacked;
    if (total > options.limit) throw fail(`the zip archive unpacks to over ${options.limit} bytes`);
    if (local + 30 > bytes.length || view.getUint32(local, true) !== localSignature)
      throw fail(`${JSON.stringify(name)} is damaged`);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > bytes.length) throw fail(`${JSON.stringify(name)} is truncated`);
    const body = bytes.subarray(start, start + packed);
    const contents = await unpack(body, { method, unpacked, place: `${place}: ${name}` });
    if (contents.length !== unpacked || crc32(contents) !== crc)
      throw fail(`${JSON.stringify(name)} is damaged: its checksum is wrong`);
    files.set(name, contents);
  }
  return files;
}

async function unpack(
  body: Uint8Array,
  entry: { method: number; unpacked: number; place: string },
): Promise<Uint8Array> {
  const { method, unpacked, place } = entry;
  if (method === 0) return body;
  if (method === 8) return decompress(body, 'deflate-raw', { limit: unpacked, place });
  throw new UserError(`zip compression method ${method} is not supported; stored and deflate are`, { place });
}

/** The end record lies in the last 64 KiB, behind everything but a comment. */
function findEnd(view: DataView): number | undefined {
  const first = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= first; at--) {
    if (view.getUint32(at, true) === endSignature && at + 22 + view.getUint16(at + 20, true) === view.byteLength)
      return at;
  }
  return undefined;
}

/** A zip archive of stored files, with a fixed date. */
export function writeZip(files: Iterable<readonly [string, Uint8Array]>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, contents] of files) {
    const encoded = new TextEncoder().encode(name);
    const crc = crc32(contents);
    const local = new Uint8Array(30 + encoded.length);
    writeCommon(new DataView(local.buffer), {
      at: 4,
      crc,
      size: contents.length,
      nameLength: encoded.length,
      signature: localSignature,
    });
    local.set(encoded, 30);
    const central = new Uint8Array(46 + encoded.length);
    const view = new DataView(central.buffer);
    writeCommon(view, { at: 6, crc, size: contents.length, nameLength: encoded.length, signature: centralSignature });
    view.setUint16(4, 20, true);
    view.setUint32(42, offset, true);
    central.set(encoded, 46);
    parts.push(local, contents);
    directory.push(central);
    offset += local.length + contents.length;
  }
  const directoryLength = directory.reduce((sum, part) => sum + part.length, 0);
  if (offset + directoryLength > 0xfffffffe || directory.length > 0xfffe)
    throw new UserError('a zip archive over 4 GiB or 65,534 files');
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, endSignature, true);
  view.setUint16(8, directory.length, true);
  view.setUint16(10, directory.length, true);
  view.setUint32(12, directoryLength, true);
  view.setUint32(16, offset, true);
  return concatenate([...parts, ...directory, end]);
}

/** The fields that local and central headers share, which start at `at`. */
function writeCommon(
  view: DataView,
  fields: { at: number; crc: number; size: number; nameLength: number; signature: number },
): void {
  const { at, crc, size, nameLength, signature } = fields;
  const utf8Names = 0x800;
  view.setUint32(0, signature, true);
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, utf8Names, true);
  view.setUint16(at + 8, fixedDate, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, nameLength, true);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
