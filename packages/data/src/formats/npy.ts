// numpy's npy format, versions 1 to 3: a header written as a Python dictionary, then the elements.
// Files written here have numpy's own bytes.
import { UserError } from '@athanor/core';
import { arrayOverBytes, bytesOf, checkStored, elementCount, storageTypeNames, storageTypes } from './storage.ts';
import type { StoredArray } from './storage.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Longest header that is read; numpy's own limit is 10,000 characters. */
const headerLimit = 65_536;
/** numpy leaves room for the first axis to grow to this many digits. */
const growthDigits = 21;
/** numpy's own limit. */
const rankLimit = 64;

/**
 * Reads an npy file; column-major arrays are turned into row-major ones, big-endian ones into little-endian.
 * The array is a view of `bytes` where it is aligned and needs no turning.
 * @throws UserError for damaged files and for elements that are not numbers (objects, texts, records, complex).
 */
export function readNpy(bytes: Uint8Array, place = 'npy data'): StoredArray {
  const fail = (message: string): UserError => new UserError(message, { place, remedy: 'fetch or write the file again' });
  if (bytes.length < 10) throw fail(`an npy file has at least 10 bytes, this one has ${bytes.length}`);
  if (magic.some((value, index) => bytes[index] !== value)) throw fail('the first bytes are not those of an npy file');
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) throw fail(`npy version ${version} is unknown; 1, 2 and 3 can be read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw fail('truncated in the header length');
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > headerLimit)
    throw fail(`the header would be ${headerLength} bytes, over the limit of ${headerLimit}`);
  if (start + headerLength > bytes.length) {
    throw fail(`truncated: the header has ${headerLength} bytes, of which ${bytes.length - start} are there`);
  }
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, start + headerLength));
  const { descr, fortranOrder, shape } = parseHeader(text, fail);

  if (shape.length > rankLimit)
    throw fail(`a shape of rank ${shape.length}; npy arrays have at most ${rankLimit} axes`);
  const [, order = '', kind = ''] = /^([<>|=]?)([a-z]\d+)$/.exec(descr) ?? [];
  const dtype = storageTypeNames.find((type) => storageTypes[type].npy === kind);
  if (dtype === undefined) throw fail(`elements of type ${descr} cannot be read; save numbers or booleans`);
  const size = storageTypes[dtype].bytes;
  const count = elementCount(shape);
  const body = bytes.subarray(start + headerLength);
  if (count === undefined) throw fail(`no file can hold the shape [${shape.join(', ')}]`);
  if (count * size !== body.length) {
    const relation = count * size > body.length ? 'truncated' : 'too long';
    throw fail(
      `${relation}: shape [${shape.join(', ')}] of ${descr} needs ${count * size} bytes, there are ${body.length}`,
    );
  }
  const native = order === '>' && size > 1 ? swapped(body, size) : body;
  const rowMajor = fortranOrder && shape.length > 1 ? toRowMajor(native, shape, size) : native;
  return arrayOverBytes(dtype, shape, rowMajor, place);
}

/**
 * The npy file of an array.
 * @throws UserError for bfloat16, which numpy does not know.
 */
export function writeNpy(array: StoredArray): Uint8Array {
  checkStored('npy', array);
  const { npy, bytes: size } = storageTypes[array.dtype];
  if (npy === undefined) {
    throw new UserError(`npy has no ${array.dtype}`, { remedy: 'convert to float32 first, or write safetensors' });
  }
  const { shape } = array;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${size === 1 ? '|' : '<'}${npy}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const room = shape.length === 0 ? 0 : Math.max(0, growthDigits - String(shape[0]).length);
  const header = dictionary + ' '.repeat(room);
  const total = Math.ceil((10 + header.length + 1) / 64) * 64;
  if (total - 10 > 0xffff) throw new UserError(`a shape of rank ${shape.length} is too long for an npy header`);
  const bytes = new Uint8Array(total + array.data.byteLength);
  bytes.set([...magic, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, total - 10, true);
  bytes.set(new TextEncoder().encode(`${header.padEnd(total - 11)}\n`), 10);
  bytes.set(bytesOf(array), total);
  return bytes;
}

interface NpyHeader {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

/** Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` in any order of keys, each once. */
function parseHeader(text: string, fail: (message: string) => UserError): NpyHeader {
  const tokens = text.match(/'[^'\\]*'|"[^"\\]*"|\d+L?|[A-Za-z]+|\S/g) ?? [];
  let at = 0;
  const peek = () => tokens[at] ?? 'the end';
  const wrong = () =>
    fail(`the header is damaged at ${JSON.stringify(peek())}: ${JSON.stringify(text.slice(0, 80).trimEnd())}`);
  const take = (expected: string) => {
    if (tokens[at] !== expected) throw wrong();
    at++;
  };
  const takeString = () => {
    const token = tokens[at] ?? '';
    if (!/^(['"]).*\1$/.test(token)) throw wrong();
    at++;
    return token.slice(1, -1);
  };
  const found: Partial<NpyHeader> = {};
  take('{');
  while (tokens[at] !== '}') {
    const key = takeString();
    take(':');
    if (key === 'descr' && found.descr === undefined) {
      if (tokens[at] === '[') throw fail('records (structured elements) cannot be read; save one field at a time');
      found.descr = takeString();
    } else if (key === 'fortran_order' && found.fortranOrder === undefined) {
      if (tokens[at] !== 'True' && tokens[at] !== 'False') throw wrong();
      found.fortranOrder = tokens[at++] === 'True';
    } else if (key === 'shape' && found.shape === undefined) {
      found.shape = [];
      take('(');
      while (tokens[at] !== ')') {
        if (!/^\d+L?$/.test(peek())) throw wrong();
        found.shape.push(Number.parseInt(peek(), 10));
        at++;
        if (tokens[at] !== ')') take(',');
      }
      take(')');
    } else {
      throw fail(`the header has ${JSON.stringify(key)} twice, or it is no key of npy`);
    }
    if (tokens[at] !== '}') take(',');
  }
  take('}');
  const { descr, fortranOrder, shape } = found;
  if (at !== tokens.length) throw wrong();
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw fail('the header lacks one of descr, fortran_order, shape');
  }
  return { descr, fortranOrder, shape };
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = bytes.slice();
  for (let start = 0; start < copy.length; start += size) copy.subarray(start, start + size).reverse();
  return copy;
}

/** Moves elements of `size` bytes from column-major to row-major order. */
function toRowMajor(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, length) => product * length, 1));
  const index = shape.map(() => 0);
  let source = 0;
  for (let target = 0; target < bytes.length; target += size) {
    for (let byte = 0; byte < size; byte++) result[target + byte] = bytes[source * size + byte] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      const stride = strides[axis] ?? 0;
      source += stride;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      source -= next * stride;
      index[axis] = 0;
    }
  }
  return result;
}
