// Data sets, seeded loaders, transforms and file formats.
export * from './dataset.ts';
export { readIdx, readIdxFile, writeIdx } from './formats/idx.ts';
export type { IdxArray } from './formats/idx.ts';
export { gzip, sha256 } from './platform.ts';
export * from './random.ts';
export * from './sets/fashion-mnist.ts';
