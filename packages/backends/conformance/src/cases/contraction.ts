// What cases of products and of convolutions share: dtypes with their combines, and the error of a sum.
import { type Combine, type Dtype } from '@athanor/core/backend';
import { exact, type Tolerance } from '../problem.ts';

export const kinds: readonly { readonly dtype: Dtype; readonly combine: Combine }[] = [
  { dtype: 'float32', combine: 'multiply-add' },
  { dtype: 'float64', combine: 'multiply-add' },
  { dtype: 'int8', combine: 'multiply-add' },
  { dtype: 'int32', combine: 'multiply-add' },
  { dtype: 'int32', combine: 'xor-popcount' },
];

/** The error of a sum of `terms` products of numbers up to 2. */
export function sumTolerance(dtype: Dtype, terms: number): Tolerance {
  return dtype === 'float32' || dtype === 'float64' ? { ulps: 4, scale: Math.max(1, terms) } : exact;
}
