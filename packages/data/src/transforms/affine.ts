// Random rotation, scale, shear and shift about the centre, sampled bilinearly.
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { imageShape } from './transform.ts';
import type { Transform } from './transform.ts';

export const affineSchema = z.strictObject({
  rotate: z.number().min(0).max(180).default(0).describe('largest rotation to either side, in degrees'),
  translate: z.number().min(0).max(1).default(0).describe('largest shift to either side, as a fraction of the side'),
  scale: z.tuple([z.number().positive(), z.number().positive()]).default([1, 1]).describe('smallest and largest scale'),
  shear: z.number().min(0).max(80).default(0).describe('largest horizontal shear to either side, in degrees'),
  fill: z.number().default(0).describe('value outside the image, before normalisation'),
});

/**
 * Maps each output pixel p back to the input: A⁻¹ (p − centre − shift) + centre with A = scale · R(angle) · shear,
 * angles counter-clockwise on the screen.
 */
export function affine(options: z.input<typeof affineSchema> = {}): Transform {
  const config = parseOptions('affine', affineSchema, options);
  const radians = Math.PI / 180;
  return {
    name: 'affine',
    config,
    apply(sample, { shape, random, scratch }) {
      const { channels, height, width } = imageShape('affine', shape);
      const angle = random.between(-config.rotate, config.rotate) * radians;
      const shear = Math.tan(random.between(-config.shear, config.shear) * radians);
      const scale = random.between(...config.scale);
      const shiftX = random.between(-config.translate, config.translate) * width;
      const shiftY = random.between(-config.translate, config.translate) * height;
      const cosine = Math.cos(angle) / scale;
      const sine = Math.sin(angle) / scale;
      const centerX = (width - 1) / 2;
      const centerY = (height - 1) / 2;
      scratch.set(sample);
      const pixel = (channel: number, row: number, column: number): number => {
        if (row < 0 || row >= height || column < 0 || column >= width) return config.fill;
        return scratch[(channel * height + row) * width + column] ?? 0;
      };
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const x = column - centerX - shiftX;
          const y = row - centerY - shiftY;
          const turnedY = sine * x + cosine * y;
          const sourceX = cosine * x - sine * y - shear * turnedY + centerX;
          const sourceY = turnedY + centerY;
          const left = Math.floor(sourceX);
          const top = Math.floor(sourceY);
          const toRight = sourceX - left;
          const down = sourceY - top;
          for (let channel = 0; channel < channels; channel++) {
            const upper = pixel(channel, top, left) * (1 - toRight) + pixel(channel, top, left + 1) * toRight;
            const lower = pixel(channel, top + 1, left) * (1 - toRight) + pixel(channel, top + 1, left + 1) * toRight;
            sample[(channel * height + row) * width + column] = upper * (1 - down) + lower * down;
          }
        }
      }
    },
  };
}
