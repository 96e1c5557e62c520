// Reading files, decompressing and hashing in Node and in a page.
// The only file of the package that asks where it runs.
import { UserError } from '@athanor/core';

interface NodeModules {
  'node:fs': typeof import('node:fs');
  'node:module': typeof import('node:module');
  'node:path': typeof import('node:path');
  'node:url': typeof import('node:url');
  'node:worker_threads': typeof import('node:worker_threads');
  'node:zlib': typeof import('node:zlib');
}

/** A Node built-in module, or undefined in a page; invisible to bundlers. */
export function builtin<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined;
  return process.getBuiltinModule(name) as NodeModules[Name] | undefined;
}

/** A Node built-in module; a `UserError` saying what needed it where there is none. */
export function requireBuiltin<Name extends keyof NodeModules>(name: Name, purpose: string): NodeModules[Name] {
  const found = builtin(name);
  if (found === undefined) {
    throw new UserError(`${purpose} needs Node`, { remedy: 'run it in Node, or pass the bytes yourself' });
  }
  return found;
}

/** An environment variable, or undefined when unset, empty or in a page. */
export function environment(name: string): string | undefined {
  const value = typeof process === 'undefined' ? undefined : process.env[name];
  return value === undefined || value === '' ? undefined : value;
}

/** The bytes of a file that ships with this package, from disk or fetched. */
export async function readPackaged(url: URL): Promise<Uint8Array> {
  const fs = url.protocol === 'file:' ? builtin('node:fs') : undefined;
  if (fs !== undefined) return readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new UserError(`cannot load ${url.href}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * The bytes of a file on disk.
 * @throws UserError naming the file when it is missing or unreadable.
 */
export function readFile(path: string | URL): Uint8Array {
  const fs = requireBuiltin('node:fs', 'reading a file');
  try {
    const bytes = fs.readFileSync(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw new UserError(`cannot read ${String(path)}: ${systemReason(error)}`);
  }
}

/** Whether a file or folder exists (false in a page). */
export function exists(path: string | URL): boolean {
  return builtin('node:fs')?.existsSync(path) ?? false;
}

function systemReason(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'permission denied';
    case 'ERR_FS_FILE_TOO_LARGE':
      return 'it is over 2 GiB';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** Compressions that `decompress` undoes: a gzip file, or a raw DEFLATE stream as in zip. */
export type Compression = 'gzip' | 'deflate-raw';

/**
 * The decompressed bytes.
 * @param options.limit the most bytes to produce; more is an error, so that a small hostile file cannot fill the memory.
 * @throws UserError when the stream is damaged, cut short or longer than the limit.
 */
export async function decompress(
  bytes: Uint8Array,
  compression: Compression,
  options: { limit: number; place?: string },
): Promise<Uint8Array> {
  const place = options.place === undefined ? {} : { place: options.place };
  const zlib = builtin('node:zlib');
  try {
    if (zlib === undefined) return await decompressStream(bytes, compression, options.limit);
    const maxOutputLength = Math.max(1, options.limit);
    const result =
      compression === 'gzip'
        ? zlib.gunzipSync(bytes, { maxOutputLength })
        : zlib.inflateRawSync(bytes, { maxOutputLength });
    if (result.length > options.limit) throw new RangeError('too long');
    return new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new UserError(`the ${compression} data unpacks to more than the expected ${options.limit} bytes`, place);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`damaged or truncated ${compression} data: ${reason}`, {
      ...place,
      remedy: 'fetch the file again',
    });
  }
}

async function decompressStream(bytes: Uint8Array, compression: Compression, limit: number): Promise<Uint8Array> {
  const source = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream(compression));
  const reader = source.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new RangeError('too long');
    }
    parts.push(value);
  }
  const result = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** The gzip form of the bytes, without a time stamp: the same input gives the same file. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const zlib = requireBuiltin('node:zlib', 'writing gzip');
  const result = zlib.gzipSync(bytes, { level: 9 });
  return new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
}

/** The SHA-256 of the bytes in lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
