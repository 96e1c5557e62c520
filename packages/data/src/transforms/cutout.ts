// Cutout (DeVries & Taylor 2017): one random square is hidden.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { imageShape } from './transform.ts';
import type { Transform } from './transform.ts';

export const cutoutSchema = z.strictObject({
  size: z.int().min(1).describe('side of the square in pixels'),
  fill: z.number().optional().describe('value inside; default: the mean of the channel, which normalises to 0'),
});

/** Hides a square whose centre is uniform over the image; it may hang over the border, as in the paper. */
export function cutout(options: z.input<typeof cutoutSchema>): Transform {
  const config = parseOptions('cutout', cutoutSchema, options);
  return {
    name: 'cutout',
    config,
    apply(sample, { shape, random, mean }) {
      const { channels, height, width } = imageShape('cutout', shape);
      const top = random.integer(height) - Math.floor(config.size / 2);
      const left = random.integer(width) - Math.floor(config.size / 2);
      for (let channel = 0; channel < channels; channel++) {
        for (let row = Math.max(0, top); row < Math.min(height, top + config.size); row++) {
          const start = (channel * height + row) * width;
          const fill = config.fill ?? mean[channel] ?? 0;
          sample.fill(fill, start + Math.max(0, left), start + Math.min(width, left + config.size));
        }
      }
    },
  };
}
