// Data sets, seeded loaders, transforms and file formats.
export { default } from './plugin.ts';
export * from './dataset.ts';
export { readIdx, readIdxFile, writeIdx } from './formats/idx.ts';
export type { IdxArray } from './formats/idx.ts';
export type { Batch } from './loader/assemble.ts';
export type { LoaderState } from './loader/cursor.ts';
export { Loader, batches } from './loader/loader.ts';
export type { LoaderOptions } from './loader/loader.ts';
export { gzip, sha256 } from './platform.ts';
export { RandomStream, streamKey } from './random.ts';
export type { StreamKey } from './random.ts';
export * from './sets/fashion-mnist.ts';
export { affine, crop, cutout, flip } from './transforms/index.ts';
export type { SampleContext, Transform } from './transforms/index.ts';
