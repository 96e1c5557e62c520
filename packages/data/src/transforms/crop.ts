// Random crop of a padded image: a random shift of at most `padding` pixels along each axis.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { imageShape } from './transform.ts';
import type { Transform } from './transform.ts';

export const cropSchema = z.strictObject({
  padding: z.int().min(1).default(4).describe('pixels added on every side before cropping'),
  fill: z.number().default(0).describe('value of the added pixels, before normalisation'),
});

/** Pads each side with `fill`, then crops a random window of the original size (He et al. 2016, section 4.2). */
export function crop(options: z.input<typeof cropSchema> = {}): Transform {
  const config = parseOptions('crop', cropSchema, options);
  return {
    name: 'crop',
    config,
    apply(sample, { shape, random, scratch }) {
      const { channels, height, width } = imageShape('crop', shape);
      const down = random.integer(2 * config.padding + 1) - config.padding;
      const right = random.integer(2 * config.padding + 1) - config.padding;
      scratch.set(sample);
      sample.fill(config.fill);
      const first = Math.max(0, -right);
      const last = Math.min(width, width - right);
      if (first >= last) return;
      for (let channel = 0; channel < channels; channel++) {
        for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
          const source = (channel * height + row + down) * width + right;
          sample.set(scratch.subarray(source + first, source + last), (channel * height + row) * width + first);
        }
      }
    },
  };
}
