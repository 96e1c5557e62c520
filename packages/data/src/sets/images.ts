// Pictures from files through the optional package sharp: PNG, JPEG, WebP and what else it reads.
import { UserError } from '@athanor/core';
import { importOptional } from '../optional.ts';

export interface ImageOptions {
  /** Side of the square result in pixels. */
  readonly size: number;
  /** 3: red, green, blue; 1: grey. */
  readonly channels: 1 | 3;
  /** cover: cut what does not fit the square; contain: add borders; fill: stretch. */
  readonly fit: 'cover' | 'contain' | 'fill';
  /** What shows through transparent places and in added borders. */
  readonly background: string;
}

/** Makes one picture `[C, size, size]` of bytes from a file. */
export type DecodeImage = (file: string) => Promise<Uint8Array>;

/** @throws UserError saying how to install sharp; the function that it gives throws one for damaged files. */
export async function imageDecoder(options: ImageOptions): Promise<DecodeImage> {
  const { default: sharp } = await importOptional<typeof import('sharp')>('sharp', 'reading pictures');
  const { size, channels, fit, background } = options;
  return async (file) => {
    try {
      const picture = sharp(file).autoOrient().resize(size, size, { fit, background }).flatten({ background });
      const { data, info } = await picture
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      return planes(data, info.channels, channels);
    } catch (error) {
      throw new UserError(`cannot read the picture: ${error instanceof Error ? error.message : String(error)}`, {
        place: file,
        remedy: 'fetch the picture again, or take it out of the folder',
      });
    }
  };
}

/** From interleaved pixels to one plane a channel. */
function planes(pixels: Uint8Array, stored: number, wanted: number): Uint8Array {
  const count = pixels.length / stored;
  const result = new Uint8Array(wanted * count);
  for (let channel = 0; channel < wanted; channel++) {
    const source = Math.min(channel, stored - 1);
    for (let at = 0; at < count; at++) result[channel * count + at] = pixels[at * stored + source] ?? 0;
  }
  return result;
}

/** Decodes many files, a few at a time, into one contiguous array in the given order. */
export async function decodeAll(
  files: readonly string[],
  decode: DecodeImage,
  sampleSize: number,
): Promise<Uint8Array> {
  const result = new Uint8Array(files.length * sampleSize);
  const queue = files.entries();
  const work = async () => {
    for (const [index, file] of queue) result.set(await decode(file), index * sampleSize);
  };
  await Promise.all([work(), work(), work(), work()]);
  return result;
}
