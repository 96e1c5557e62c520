// idx: round trips of every element type, and what damaged files are told.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readIdx, readIdxFile, writeIdx } from './idx.ts';

test('reads big-endian values in their shape', () => {
  const bytes = Uint8Array.of(0, 0, 0x0c, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xfe, 0, 0, 1, 0);
  expect(readIdx(bytes)).toEqual({ shape: [1, 2], data: Int32Array.of(-2, 256) });
});

test('every element type comes back as it was written', () => {
  const arrays = [Uint8Array, Int8Array, Int16Array, Int32Array, Float32Array, Float64Array].map((Data) =>
    Data.of(0, 1, 100),
  );
  for (const data of arrays) {
    expect(readIdx(writeIdx({ shape: [3, 1], data }))).toEqual({ shape: [3, 1], data });
  }
});

test('any bytes round-trip, compressed or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), fc.boolean(), async (data, compress) => {
      const file = writeIdx({ shape: [data.length], data });
      expect(await readIdxFile(compress ? gzipSync(file) : file)).toEqual({ shape: [data.length], data });
    }),
    { numRuns: 50 },
  );
});

test('damaged files are named with what is wrong', async () => {
  const file = writeIdx({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  const messageOf = async (bytes: Uint8Array) => {
    const error: unknown = await readIdxFile(bytes, 'images.gz').catch((reason: unknown) => reason);
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  };
  expect(await messageOf(file.subarray(0, 3))).toMatchInlineSnapshot(
    `"UserError: images.gz: an idx file has at least 4 bytes, this one has 3 — fetch the file again; idx files are uncompressed or gzip"`,
  );
  expect(await messageOf(file.subarray(0, 9))).toMatchInlineSnapshot(
    `"UserError: images.gz: truncated header: 2 sizes need 12 bytes, there are 9 — fetch the file again; idx files are uncompressed or gzip"`,
  );
  expect(await messageOf(file.subarray(0, 15))).toMatchInlineSnapshot(
    `"UserError: images.gz: truncated: shape [2, 3] needs 18 bytes, there are 15 — fetch the file again; idx files are uncompressed or gzip"`,
  );
  expect(await messageOf(Uint8Array.of(...file, 0))).toMatchInlineSnapshot(
    `"UserError: images.gz: too long: shape [2, 3] needs 18 bytes, there are 19 — fetch the file again; idx files are uncompressed or gzip"`,
  );
  expect(await messageOf(Uint8Array.of(0, 0, 7, 0))).toMatchInlineSnapshot(
    `"UserError: images.gz: unknown idx element type 0x07 — fetch the file again; idx files are uncompressed or gzip"`,
  );
  expect(await messageOf(new TextEncoder().encode('<html>not found'))).toMatchInlineSnapshot(
    `"UserError: images.gz: an idx file begins with two zero bytes, this one with 60 and 104 — fetch the file again; idx files are uncompressed or gzip"`,
  );
  expect(await messageOf(gzipSync(file).subarray(0, 20))).toMatchInlineSnapshot(
    `"UserError: images.gz: damaged or truncated gzip data: unexpected end of file — fetch the file again"`,
  );
});
