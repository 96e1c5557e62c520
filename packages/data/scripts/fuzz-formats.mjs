// Reads mutated files of every format: each must give a UserError or consistent data, quickly.
// Needs a build:  node packages/data/scripts/fuzz-formats.mjs [runs=1000000] [seed=0]
import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { UserError } from '@athanor/core';
import {
  RandomStream,
  readIdxFile,
  readNpy,
  readNpz,
  readSafetensors,
  streamKey,
  writeIdx,
  writeNpy,
  writeSafetensors,
} from '../dist/index.js';

const runs = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 0);
const slowest = 1000;
const golden = (name) => new Uint8Array(readFileSync(new URL(`../goldens/${name}`, import.meta.url)));

const safetensors = golden('all-types.safetensors');
const idx = writeIdx({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
const npzArrays = [...(await readNpz(golden('stored.npz'))).values()];

const formats = [
  {
    name: 'safetensors',
    share: 4,
    files: [safetensors, writeSafetensors([['w', npzArrays[0]]])],
    check(bytes) {
      const read = readSafetensors(bytes);
      deepStrictEqual(readSafetensors(writeSafetensors(read.tensors, read.metadata)), read);
    },
  },
  {
    name: 'npy',
    share: 4,
    files: ['f4', 'fortran', 'big-endian-fortran', 'version-2', 'b1', 'scalar'].map((name) => golden(`${name}.npy`)),
    check(bytes) {
      const read = readNpy(bytes);
      deepStrictEqual(readNpy(writeNpy(read)), read);
    },
  },
  {
    name: 'npz',
    share: 1,
    files: [golden('stored.npz'), golden('compressed.npz')],
    async check(bytes) {
      // The checksums leave only the original arrays.
      for (const array of (await readNpz(bytes)).values()) {
        if (!npzArrays.some((original) => isSame(original, array)))
          throw new Error('an npz array is none of the original ones');
      }
    },
  },
  {
    name: 'idx',
    share: 1,
    files: [idx, new Uint8Array(gzipSync(idx))],
    async check(bytes) {
      const read = await readIdxFile(bytes);
      deepStrictEqual(await readIdxFile(writeIdx(read)), read);
    },
  },
];

function isSame(left, right) {
  try {
    deepStrictEqual(left, right);
    return true;
  } catch {
    return false;
  }
}

const interesting = [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x22, 0x5b, 0x5d, 0x7b, 0x7d, 0x2c, 0x30, 0x39, 0x2d, 0x65];

function mutate(file, random) {
  let bytes = Array.from(file);
  const edits = 1 + random.integer(4);
  for (let edit = 0; edit < edits; edit++) {
    const at = random.integer(bytes.length + 1);
    const length = random.integer(9);
    const other = random.integer(bytes.length + 1);
    switch (random.integer(7)) {
      case 0:
        bytes[at % Math.max(1, bytes.length)] ^= 1 << random.integer(8);
        break;
      case 1:
        bytes[at % Math.max(1, bytes.length)] = interesting[random.integer(interesting.length)];
        break;
      case 2:
        bytes[at % Math.max(1, bytes.length)] = 0x30 + random.integer(10);
        break;
      case 3:
        bytes.splice(at, length);
        break;
      case 4:
        bytes.splice(at, 0, ...bytes.slice(other, other + length));
        break;
      case 5:
        bytes.splice(at, length, ...bytes.slice(other, other + length));
        break;
      case 6:
        if (random.chance(0.3)) bytes = bytes.slice(0, at);
        break;
    }
  }
  return Uint8Array.from(bytes);
}

let failures = 0;
const shares = formats.reduce((sum, format) => sum + format.share, 0);
for (const format of formats) {
  const count = Math.round((runs * format.share) / shares);
  const random = new RandomStream(streamKey(seed, `fuzz ${format.name}`));
  const outcome = { read: 0, refused: 0, slowest: 0 };
  for (let run = 0; run < count && failures < 10; run++) {
    const bytes = mutate(format.files[random.integer(format.files.length)], random);
    const start = performance.now();
    try {
      await format.check(bytes);
      outcome.read++;
    } catch (error) {
      if (error instanceof UserError) outcome.refused++;
      else {
        failures++;
        console.error(`${format.name}, input ${Buffer.from(bytes).toString('base64')}:`, error);
      }
    }
    outcome.slowest = Math.max(outcome.slowest, performance.now() - start);
  }
  if (outcome.slowest > slowest) {
    failures++;
    console.error(`${format.name}: an input took ${outcome.slowest} ms`);
  }
  console.log(
    `${format.name}: ${count} inputs, ${outcome.read} read, ${outcome.refused} refused, slowest ${outcome.slowest.toFixed(1)} ms`,
  );
}
console.log(failures === 0 ? 'no failure' : `${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
