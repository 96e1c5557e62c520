// Parts that the schemas of components share.
import * as z from 'zod';

export const eps = (value: number): z.ZodDefault<z.ZodNumber> => z.number().min(0).default(value).meta({ description: 'added to the variance' });

export const affine = (value: boolean): z.ZodDefault<z.ZodBoolean> => z.boolean().default(value).meta({ description: 'learn a scale and a shift per channel' });

export const momentum = (value: number): z.ZodDefault<z.ZodNumber> =>
  z.number().min(0).max(1).default(value).meta({ description: 'weight of the new batch in the running statistics' });

export const groups = z.int().min(1).default(8).meta({ description: 'groups of neighbouring channels' });

export const over = z.enum(['sample', 'position']).meta({ description: 'one statistic for the whole sample, or one at each position' });

export const placement = z
  .enum(['inside', 'outside', 'clamp'])
  .default('inside')
  .meta({ description: 'where eps stands: under the root, beside it, or as the least variance' });
