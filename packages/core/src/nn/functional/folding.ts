// Rearrangements between space and channels: windows as columns and back, pixel and channel shuffles.
import { grad } from '../../engine/differentiate.ts';
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { permute, reshape } from '../../graph/move.ts';
import { elementCount, sameShape } from '../../shape.ts';
import { zeros } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { perAxis, type PerAxis } from './spatial.ts';
import { windowLayout, windows, type WindowOptions } from './windows.ts';

export interface UnfoldOptions extends Omit<WindowOptions, 'ceilMode'> {
  /** 1 unless given. */
  readonly stride?: PerAxis;
}

/** Windows as columns (im2col): [N, C, …S] → [N, C · ∏K, L], where L counts the windows. */
export function unfold(x: Tensor, options: UnfoldOptions): Tensor {
  const places = windowLayout(x, { stride: 1, ...options }, 'unfold');
  const rank = places.kernel.length;
  const cells = windows(x.node, places, 0);
  const order = [0, 1, ...places.kernel.map((_, axis) => 2 + rank + axis), ...places.kernel.map((_, axis) => 2 + axis)];
  const [n = 0, channels = 0] = x.shape;
  return x.wrap(reshape(permute(cells, order), [n, channels * elementCount(places.kernel), elementCount(places.sizes)]));
}

export interface FoldOptions extends UnfoldOptions {
  /** Spatial sizes of the result. */
  readonly outputSize: readonly number[];
}

/** The sum of windows, each put back to where `unfold` read it (col2im): [N, C · ∏K, L] → [N, C, …outputSize]. */
export function fold(x: Tensor, { outputSize, ...options }: FoldOptions): Tensor {
  const field = elementCount(perAxis(options.kernel, outputSize.length, 'fold kernel', 1));
  const [n = 0, rows = 0] = x.shape;
  if (x.ndim !== 3 || rows % field !== 0) {
    throw new ShapeError(`${describe('fold')}: input ${formatShape(x.shape)} is not [N, C · ${field}, L]`);
  }
  const blank = zeros([n, rows / field, ...outputSize], { dtype: x.dtype });
  const columns = unfold(blank, options);
  if (!sameShape(columns.shape, x.shape)) {
    throw new ShapeError(`${describe('fold')}: input ${formatShape(x.shape)} does not fold to ${formatShape(blank.shape)}`, { remedy: `that unfolds to ${formatShape(columns.shape)}` });
  }
  // unfold is linear and fold its transpose: its gradient at any point.
  const [folded = blank] = grad(columns, [blank], { cotangent: x });
  return folded;
}

function channelsAndPlane(x: Tensor, what: string): readonly [number, number, number, number] {
  const [n, channels, height, width] = x.shape;
  if (x.ndim !== 4 || n === undefined || channels === undefined || height === undefined || width === undefined) {
    throw new ShapeError(`${describe(what)}: input ${formatShape(x.shape)} is not [N, C, H, W]`);
  }
  return [n, channels, height, width];
}

function requireDivisible({ shape }: Tensor, axis: number, by: number, what: string): void {
  if (Number.isInteger(by) && by > 0 && (shape[axis] ?? 0) % by === 0) return;
  throw new ShapeError(`${describe(what)}: axis ${axis} of input ${formatShape(shape)} does not divide by ${by}`);
}

/** [N, C · r², H, W] → [N, C, H · r, W · r] (Shi et al. 2016). */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  const [n, channels, height, width] = channelsAndPlane(x, 'pixelShuffle');
  requireDivisible(x, 1, factor ** 2, 'pixelShuffle');
  const split = x.reshape(n, channels / factor ** 2, factor, factor, height, width);
  return split.permute(0, 1, 4, 2, 5, 3).reshape(n, channels / factor ** 2, height * factor, width * factor);
}

/** Undoes `pixelShuffle`: [N, C, H · r, W · r] → [N, C · r², H, W]. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  const [n, channels, height, width] = channelsAndPlane(x, 'pixelUnshuffle');
  requireDivisible(x, 2, factor, 'pixelUnshuffle');
  requireDivisible(x, 3, factor, 'pixelUnshuffle');
  const split = x.reshape(n, channels, height / factor, factor, width / factor, factor);
  return split.permute(0, 1, 3, 5, 2, 4).reshape(n, channels * factor ** 2, height / factor, width / factor);
}

/** Channels of [N, C, …] dealt out: those of each group come to stand `groups` apart (Zhang et al. 2018). */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  const [n = 0, channels = 0, ...spatial] = x.shape;
  requireDivisible(x, 1, groups, 'channelShuffle');
  return x.reshape(n, groups, channels / groups, ...spatial).transpose(1, 2).reshape(x.shape);
}
