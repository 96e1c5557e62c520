// What convolutions and pooling share: per-axis options, padding, output sizes.
import { ShapeError, UserError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import type { PaddingPair } from '../../graph/node.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** One number for every spatial axis, or one per axis. */
export type PerAxis = number | readonly number[];

/** `value` as one number per spatial axis; with `least`, whole numbers from there. */
export function perAxis(value: PerAxis, rank: number, what: string, least?: number): number[] {
  if (typeof value === 'string') throw new UserError(`${describe(what)}: "${String(value)}"`, { remedy: `give one number, or ${rank}` });
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  if (list.length !== rank) {
    throw new UserError(`${describe(what)}: ${formatShape(list)} names ${list.length} axes`, { remedy: `give one number, or ${rank}` });
  }
  if (least !== undefined && list.some((size) => !(Number.isInteger(size) && size >= least))) {
    throw new UserError(`${describe(what)}: ${typeof value === 'number' ? value : formatShape(value)}`, { remedy: `give whole numbers from ${least}` });
  }
  return list;
}

/** Number of spatial axes of [N, C, …]; an error unless there are `expected` of them. */
export function spatialRank(x: Tensor, what: string, expected?: number): number {
  const rank = x.ndim - 2;
  if (rank < 1 || (expected !== undefined && rank !== expected)) {
    const axes = expected === undefined ? '…' : new Array<string>(expected).fill('size').join(', ');
    throw new ShapeError(`${describe(what)}: input ${formatShape(x.shape)} is not [N, C, ${axes}]`);
  }
  return rank;
}

/** `same` keeps sizes at stride 1 (odd amounts go to the end), `valid` is no padding. */
export type Padding = PerAxis | 'same' | 'valid';

export function paddingPairs(
  padding: Padding,
  kernel: readonly number[],
  options: { readonly stride: readonly number[]; readonly dilation: readonly number[]; readonly what: string },
): PaddingPair[] {
  const { stride, dilation, what } = options;
  if (padding === 'valid') return kernel.map(() => [0, 0]);
  if (padding !== 'same') return perAxis(padding, kernel.length, `${what} padding`, 0).map((size) => [size, size]);
  if (stride.some((step) => step !== 1)) {
    throw new UserError(`${describe(what)}: padding "same" with stride ${formatShape(stride)}`, { remedy: 'give the padding in numbers' });
  }
  return kernel.map((size, axis) => {
    const all = (size - 1) * (dilation[axis] ?? 1);
    return [Math.floor(all / 2), Math.ceil(all / 2)];
  });
}
