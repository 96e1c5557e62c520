// The transforms of this package, by name: as components for experiments, and for workers to make them again.
import { UserError } from '@athanor/core';
import { component } from '@athanor/core/plugin';
import { affine, affineSchema } from './affine.ts';
import { crop, cropSchema } from './crop.ts';
import { cutout, cutoutSchema } from './cutout.ts';
import { flip, flipSchema } from './flip.ts';
import type { Transform } from './transform.ts';

export { affine } from './affine.ts';
export { crop } from './crop.ts';
export { cutout } from './cutout.ts';
export { flip } from './flip.ts';
export type { SampleContext, Transform } from './transform.ts';

export const transformComponents = [
  component({
    kind: 'transform',
    name: 'crop',
    summary: 'Random crop of the padded image',
    schema: cropSchema,
    create: crop,
  }),
  component({ kind: 'transform', name: 'flip', summary: 'Random mirror image', schema: flipSchema, create: flip }),
  component({
    kind: 'transform',
    name: 'cutout',
    summary: 'Hides one random square (DeVries & Taylor 2017)',
    schema: cutoutSchema,
    create: cutout,
  }),
  component({
    kind: 'transform',
    name: 'affine',
    summary: 'Random rotation, scale, shear and shift, bilinear',
    schema: affineSchema,
    create: affine,
  }),
];

/** Makes one of this package's transforms from its name and config. */
export function transformByName(name: string, config: object): Transform {
  switch (name) {
    case 'crop':
      return crop(config);
    case 'flip':
      return flip(config);
    case 'cutout':
      return cutout({ size: 0, ...config });
    case 'affine':
      return affine(config);
    default:
      throw new UserError(`there is no transform ${name}; there are crop, flip, cutout and affine`);
  }
}
