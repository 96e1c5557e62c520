// npy and npz: round trips and the message of every damage.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNpy, writeNpy } from './npy.ts';
import { readNpz, writeNpz } from './npz.ts';
import { writeZip } from './zip.ts';

const place = 'weights.npy';

function file(header: string, dataLength = 0): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + dataLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 0xff, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  return bytes;
}

const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}}`;

test('arrays of any shape round-trip, and begin at a multiple of 64 bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 }), (shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const array = { dtype: 'float32' as const, shape, data: Float32Array.from({ length: count }, Math.sqrt) };
      const bytes = writeNpy(array);
      expect((bytes.length - 4 * count) % 64).toBe(0);
      expect(readNpy(bytes)).toEqual(array);
    }),
    { numRuns: 100 },
  );
});

test('column-major arrays of any shape come out row-major', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const text = `{'descr': '|u1', 'fortran_order': True, 'shape': (${shape.join(', ')},)}`;
      const bytes = file(text, count);
      bytes.set(
        Array.from({ length: count }, (_, index) => index % 256),
        10 + text.length,
      );
      const { data } = readNpy(bytes);
      for (let target = 0; target < count; target++) {
        let rest = target;
        const index = shape.toReversed().map((size) => {
          const at = rest % size;
          rest = Math.floor(rest / size);
          return at;
        });
        const source = index.reduce((sum, at, axis) => sum * (shape[shape.length - 1 - axis] ?? 1) + at, 0);
        expect(Number(data[target])).toBe(source % 256);
      }
    }),
    { numRuns: 60 },
  );
});

test('every damage has its message', () => {
  const damaged: Record<string, Uint8Array> = {
    'too short': Uint8Array.of(0x93),
    'not npy': new Uint8Array(100),
    'unknown version': file('').fill(9, 6, 7),
    'header cut': file(header("'<f4'", '(1,)'), 4).subarray(0, 20),
    'data cut': file(header("'<f4'", '(2, 1)'), 7),
    'data left over': file(header("'<f4'", '()'), 5),
    'not a dictionary': file('[1]'),
    'unknown key': file("{'descr': '<f4', 'flags': 1}"),
    'key twice': file("{'descr': '<f4', 'descr': '<f4'}"),
    'key missing': file("{'descr': '<f4', 'shape': (1,)}", 4),
    'negative size': file(header("'<f4'", '(-1,)')),
    'huge shape': file(header("'<f4'", '(99999999999, 99999999999)')),
    'too many axes': file(header("'<f4'", `(${'1, '.repeat(65)})`), 4),
    'unclosed shape': file(header("'<f4'", '(1')),
    code: file(header("__import__('os')", '(1,)')),
    'words after': file(`${header("'<f4'", '(0,)')} pass`),
    boolean: file(header("'|b1'", '(2,)'), 2).fill(9, -1),
  };
  const messages = Object.entries(damaged).map(([name, bytes]) => {
    try {
      readNpy(bytes, place);
      return `${name}: no error`;
    } catch (error) {
      return `${name}: ${String(error)}`;
    }
  });
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "too short: UserError: weights.npy: an npy file has at least 10 bytes, this one has 1 — fetch or write the file again
    not npy: UserError: weights.npy: the first bytes are not those of an npy file — fetch or write the file again
    unknown version: UserError: weights.npy: npy version 9 is unknown; 1, 2 and 3 can be read — fetch or write the file again
    header cut: UserError: weights.npy: truncated: the header has 55 bytes, of which 10 are there — fetch or write the file again
    data cut: UserError: weights.npy: truncated: shape [2, 1] of <f4 needs 8 bytes, there are 7 — fetch or write the file again
    data left over: UserError: weights.npy: too long: shape [] of <f4 needs 4 bytes, there are 5 — fetch or write the file again
    not a dictionary: UserError: weights.npy: the header is damaged at "[": "[1]" — fetch or write the file again
    unknown key: UserError: weights.npy: the header has "flags" twice, or it is no key of npy — fetch or write the file again
    key twice: UserError: weights.npy: the header has "descr" twice, or it is no key of npy — fetch or write the file again
    key missing: UserError: weights.npy: the header lacks one of descr, fortran_order, shape — fetch or write the file again
    negative size: UserError: weights.npy: the header is damaged at "-": "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}" — fetch or write the file again
    huge shape: UserError: weights.npy: no file can hold the shape [99999999999, 99999999999] — fetch or write the file again
    too many axes: UserError: weights.npy: a shape of rank 65; npy arrays have at most 64 axes — fetch or write the file again
    unclosed shape: UserError: weights.npy: the header is damaged at "}": "{'descr': '<f4', 'fortran_order': False, 'shape': (1}" — fetch or write the file again
    code: UserError: weights.npy: the header is damaged at "_": "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}" — fetch or write the file again
    words after: UserError: weights.npy: the header is damaged at "pass": "{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} pass" — fetch or write the file again
    boolean: UserError: weights.npy: boolean element 1 is 9, neither 0 nor 1"
  `);
  expect(() => writeNpy({ dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0) })).toThrow('npy has no bfloat16');
});

test('every damage of an npz has its message', async () => {
  const good = writeNpz([['w', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 3) }]]);
  const changed = (at: number, value: number) => {
    const copy = good.slice();
    copy[at < 0 ? copy.length + at : at] = value;
    return copy;
  };
  const directory = good.length - 22 - 46 - 'w.npy'.length;
  const damaged: Record<string, Uint8Array> = {
    empty: new Uint8Array(),
    'cut at the end': good.subarray(0, -1),
    'cut at the start': good.subarray(10),
    'data changed': changed(directory - 1, 9),
    'method changed': changed(directory + 10, 12),
    encrypted: changed(directory + 8, 1),
    'directory lost': changed(directory, 0),
    'directory outside': changed(-8, 255),
    'local header lost': changed(0, 0),
    'other files': writeZip([['readme.txt', new Uint8Array(3)]]),
    'name twice': writeZip([
      ['a.npy', new Uint8Array(3)],
      ['a.npy', new Uint8Array(3)],
    ]),
    'not npy inside': writeZip([['a.npy', new Uint8Array(30)]]),
  };
  const messages = await Promise.all(
    Object.entries(damaged).map(async ([name, bytes]) => {
      const outcome = await readNpz(bytes, 'weights.npz').then(
        () => 'no error',
        (error: unknown) => String(error),
      );
      return `${name}: ${outcome}`;
    }),
  );
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "empty: UserError: weights.npz: not a zip archive, or truncated: its directory is missing — fetch or write the file again
    cut at the end: UserError: weights.npz: not a zip archive, or truncated: its directory is missing — fetch or write the file again
    cut at the start: UserError: weights.npz: the directory of the zip archive lies outside the file — fetch or write the file again
    data changed: UserError: weights.npz: "w.npy" is damaged: its checksum is wrong — fetch or write the file again
    method changed: UserError: weights.npz: w.npy: zip compression method 12 is not supported; stored and deflate are
    encrypted: UserError: weights.npz: "w.npy" is encrypted — fetch or write the file again
    directory lost: UserError: weights.npz: directory entry 0 of the zip archive is damaged — fetch or write the file again
    directory outside: UserError: weights.npz: the directory of the zip archive lies outside the file — fetch or write the file again
    local header lost: UserError: weights.npz: "w.npy" is damaged — fetch or write the file again
    other files: UserError: weights.npz: it holds "readme.txt", which is not an .npy file
    name twice: UserError: weights.npz: the zip archive has "a.npy" twice — fetch or write the file again
    not npy inside: UserError: weights.npz: a.npy: the first bytes are not those of an npy file — fetch or write the file again"
  `);
});
