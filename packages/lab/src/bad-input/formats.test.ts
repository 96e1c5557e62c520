// Files of every format, cut off or spoilt: through data sets where there is one, else through the reader itself.
import { gzipSync } from 'node:zlib';
import { readIdxFile, readNpy, readNpz, readSafetensors, readTable, writeIdx, writeNpy, writeNpz, writeSafetensors } from '@athanor/data';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, train, write } from '../testing/transcript.ts';

inTemporaryFolder();

const matrix = { dtype: 'float32', shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, index) => index) } as const;
const columns = { x: Float64Array.from({ length: 20 }, (_, index) => index), kind: Int32Array.from({ length: 20 }, (_, index) => index % 2) };

/** The first `share` of the bytes. */
function cut(bytes: Uint8Array, share = 0.6): Uint8Array {
  return bytes.slice(0, Math.floor(bytes.length * share));
}

/** The bytes with those from `at` replaced. */
function spoilt(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

test('array files', async () => {
  const told = new Transcript();
  const idx = writeIdx({ shape: [4, 3], data: new Uint8Array(12) });
  const npy = writeNpy(matrix);
  const npz = await writeNpz(new Map([['weight', matrix]]));
  const safetensors = writeSafetensors(new Map([['weight', matrix]]));
  await told.call('idx, cut off', () => readIdxFile(cut(idx), 'train.idx'));
  await told.call('idx, empty', () => readIdxFile(new Uint8Array(), 'train.idx'));
  await told.call('idx with a wrong magic number', () => readIdxFile(spoilt(idx, 0, 1, 2), 'train.idx'));
  await told.call('idx with bytes behind', () => readIdxFile(Uint8Array.of(...idx, 0), 'train.idx'));
  await told.call('gzip, cut off', () => readIdxFile(cut(gzipSync(idx)), 'train.idx.gz'));
  await told.call('gzip with a wrong byte', () => readIdxFile(spoilt(gzipSync(idx), 14, 0xff, 0xff), 'train.idx.gz'));
  await told.call('npy, cut off', () => readNpy(cut(npy, 0.9), 'x.npy'));
  await told.call('npy, cut off in its header', () => readNpy(cut(npy, 0.2), 'x.npy'));
  await told.call('npy with a wrong magic number', () => readNpy(spoilt(npy, 0, 0), 'x.npy'));
  await told.call('npz, cut off', () => readNpz(cut(npz), 'x.npz'));
  await told.call('npz that is none', () => readNpz(npy, 'x.npz'));
  await told.call('safetensors, cut off', () => readSafetensors(cut(safetensors, 0.9), 'm.safetensors'));
  await told.call('safetensors, cut off in its header', () => readSafetensors(cut(safetensors, 0.3), 'm.safetensors'));
  await told.call('safetensors with a header that is no JSON', () => readSafetensors(spoilt(safetensors, 8, 0x5b), 'm.safetensors'));
  await told.call('safetensors that is none', () => readSafetensors(npy, 'm.safetensors'));
  await expect(told.text).toMatchFileSnapshot('told/arrays.txt');
  expect(told.summary).toEqual({ told: 15, problems: [] });
});

test('tables', async () => {
  const told = new Transcript();
  const arrow = tableToIPC(tableFromArrays(columns), 'file');
  const parquet = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'x', data: columns.x, type: 'DOUBLE' }, { name: 'kind', data: columns.kind, type: 'INT32' }] }));
  const csv = `x,kind\n${Array.from(columns.x, (x, row) => `${x},${columns.kind[row]}`).join('\n')}\n`;
  write({ 'cut.arrow': cut(arrow), 'magic.arrow': spoilt(arrow, 0, 0), 'cut.parquet': cut(parquet), 'magic.parquet': spoilt(parquet, 0, 0), 'empty.parquet': new Uint8Array() });
  for (const file of ['cut.arrow', 'cut.parquet', 'magic.parquet', 'empty.parquet']) await told.call(file, () => readTable(file));
  const table = (label = 'kind') => train.replace('{ name: moons, train: 40, test: 20 }', `{ name: table, file: data.csv, label: ${label} }`);
  const file = async (what: string, content: string, label?: string) => {
    write({ 'data.csv': content });
    await told.file(what, table(label));
  };
  await file('CSV, cut off in a row', csv.slice(0, csv.length - 3));
  await file('CSV with a quote that is not closed', csv.replace('3,1', '"3,1'));
  await file('CSV with a text among numbers', csv.replace('3,1', 'three,1'));
  await file('CSV with an empty cell', csv.replace('3,1', ',1'));
  await file('CSV without rows', 'x,kind\n');
  await file('an empty CSV', '');
  await file('CSV with a column twice', csv.replace('x,kind', 'kind,kind'));
  await file('a label that is no column', csv, 'species');
  await told.file('an ending that is none of a table', table().replace('data.csv', 'data.xlsx'));
  await expect(told.text).toMatchFileSnapshot('told/tables.txt');
  expect(told.summary).toEqual({ told: 13, problems: [] });
});

test('pictures and known sets', async () => {
  const told = new Transcript();
  const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, index) => (index * index * 7) & 255);
  const picture = sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } });
  const [png, jpeg, webp] = [await picture.clone().png().toBuffer(), await picture.clone().jpeg().toBuffer(), await picture.clone().webp().toBuffer()];
  const folder = train.replace('{ name: moons, train: 40, test: 20 }', '{ name: image-folder, folder: pictures }');
  const withPicture = async (what: string, name: string, bytes: Uint8Array) => {
    write({ 'pictures/first/a.png': png, 'pictures/second/b.png': png, [`pictures/second/${name}`]: bytes });
    await told.file(what, folder);
    write({ [`pictures/second/${name}`]: png });
  };
  await withPicture('PNG, cut off', 'c.png', cut(png));
  await withPicture('JPEG, cut off', 'c.jpg', cut(jpeg));
  await withPicture('WebP, cut off', 'c.webp', cut(webp));
  await withPicture('a text that is named like a picture', 'c.png', new TextEncoder().encode('no picture'));
  await told.file('a class without pictures', folder.replace('pictures }', 'empty }'));
  write({ 'empty/first/readme.txt': 'no picture' });
  await told.file('a folder without pictures', folder.replace('pictures }', 'empty }'));
  const names = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch'];
  write(Object.fromEntries(names.map((name) => [`sets/cifar-10-batches-bin/${name}.bin`, new Uint8Array(3073 * 2)])));
  await told.file('CIFAR-10 with other contents', train.replace('{ name: moons, train: 40, test: 20 }', 'cifar10'), ['--data-dir', 'sets']);
  write({ 'sets/mnist/train-images-idx3-ubyte.gz': cut(gzipSync(writeIdx({ shape: [2, 28, 28], data: new Uint8Array(2 * 784) }))) });
  await told.file('MNIST, cut off', train.replace('{ name: moons, train: 40, test: 20 }', '{ name: mnist, source: files }'), ['--data-dir', 'sets']);
  // What the decoder says of a damaged picture depends on how far its threads have come.
  await expect(told.text.replaceAll(/cannot read the picture: [^—]*/g, 'cannot read the picture: <reason> ')).toMatchFileSnapshot('told/pictures.txt');
  expect(told.summary).toEqual({ told: 8, problems: [] });
});
