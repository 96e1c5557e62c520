// Cuts the embedded Fashion-MNIST subset from the full set and prints the checksums that the loader holds.
// Needs a build and the full set (see the loader's error for where to get it); run from anywhere:
//   node packages/data/scripts/cut-fashion-mnist.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { fashionMnist, fashionMnistSubset, gzip, sha256, stratified, writeIdx } from '../dist/index.js';

const seed = 2017;
const target = new URL('../subset/fashion-mnist/', import.meta.url);
mkdirSync(target, { recursive: true });
const full = await fashionMnist({ subset: false });

for (const [part, prefix] of [
  ['train', 'train'],
  ['test', 't10k'],
]) {
  const cut = stratified(full[part], fashionMnistSubset[part], seed);
  const files = {
    [`${prefix}-images-idx3-ubyte`]: { shape: [cut.length, 28, 28], data: cut.inputs },
    [`${prefix}-labels-idx1-ubyte`]: { shape: [cut.length], data: Uint8Array.from(cut.labels) },
  };
  for (const [name, array] of Object.entries(files)) {
    const bytes = writeIdx(array);
    const compressed = gzip(bytes);
    writeFileSync(new URL(`${name}.gz`, target), compressed);
    console.log(`${name}: ${compressed.length} bytes gzipped, sha256 ${await sha256(bytes)}`);
  }
}
