// Flattened axes of a contraction: m, n and k are each one index over several loops; what an access makes of it is a
// short list of (size, stride) pairs, merged where memory allows.
import { at } from '../at.ts';

export interface Axis {
  /** Sizes from the outermost; their product is the axis' size. */
  readonly sizes: readonly number[];
  /** One list of strides per access. */
  readonly strides: readonly (readonly number[])[];
}

/** The loops `first … first + sizes.length` of several accesses, neighbours merged where all accesses allow it. */
export function mergedAxis(sizes: readonly number[], first: number, accesses: readonly (readonly number[])[]): Axis {
  const outSizes: number[] = [];
  const outStrides: number[][] = accesses.map(() => []);
  sizes.forEach((size, i) => {
    if (size === 1) return;
    const strides = accesses.map((access) => access[first + i] ?? 0);
    const last = outSizes.length - 1;
    const merges = last >= 0 && outStrides.every((list, access) => at(list, last) === at(strides, access) * size);
    if (merges) outSizes[last] = at(outSizes, last) * size;
    else outSizes.push(size);
    outStrides.forEach((list, access) => {
      if (merges) list[last] = at(strides, access);
      else list.push(at(strides, access));
    });
  });
  if (outSizes.length === 0) return { sizes: [1], strides: accesses.map(() => [0]) };
  return { sizes: outSizes, strides: outStrides };
}
