// Random mirror image.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { imageShape } from './transform.ts';
import type { Transform } from './transform.ts';

export const flipSchema = z.strictObject({
  probability: z.number().min(0).max(1).default(0.5).describe('of mirroring a sample'),
  axis: z.enum(['horizontal', 'vertical']).default('horizontal').describe('horizontal: left and right change places'),
});

/** Mirrors an image with the given probability. */
export function flip(options: z.input<typeof flipSchema> = {}): Transform {
  const config = parseOptions('flip', flipSchema, options);
  return {
    name: 'flip',
    config,
    apply(sample, { shape, random, scratch }) {
      const { channels, height, width } = imageShape('flip', shape);
      if (!random.chance(config.probability)) return;
      if (config.axis === 'horizontal') {
        for (let start = 0; start < sample.length; start += width) sample.subarray(start, start + width).reverse();
        return;
      }
      scratch.set(sample);
      for (let channel = 0; channel < channels; channel++) {
        for (let row = 0; row < height; row++) {
          const source = (channel * height + height - 1 - row) * width;
          sample.set(scratch.subarray(source, source + width), (channel * height + row) * width);
        }
      }
    },
  };
}
