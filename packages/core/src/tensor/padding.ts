// Padding with the tensor's own elements: mirrored, repeated at the border, or wrapped around. Compositions of slices,
// so that gradients are slices too.
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { sliceAxis } from '../gradient/helpers.ts';
import { describe } from '../graph/create.ts';
import { expand, flip } from '../graph/move.ts';
import type { Node, PaddingPair } from '../graph/node.ts';
import { concatenate } from './concatenate.ts';

/** `reflect` mirrors at the border element, `replicate` repeats it, `circular` goes on at the other end. */
export type PaddingMode = 'reflect' | 'replicate' | 'circular';

export const paddingModes: readonly PaddingMode[] = ['reflect', 'replicate', 'circular'];

/** The most that one side of an axis can grow. */
function limit(size: number, mode: PaddingMode): number {
  if (mode === 'circular') return size;
  return mode === 'reflect' ? size - 1 : size === 0 ? 0 : Infinity;
}

function border(x: Node, axis: number, [low, high]: PaddingPair, mode: PaddingMode): [Node, Node] {
  const size = x.shape[axis] ?? 0;
  switch (mode) {
    case 'reflect':
      return [flip(sliceAxis(x, axis, 1, low + 1), [axis]), flip(sliceAxis(x, axis, size - 1 - high, size - 1), [axis])];
    case 'replicate':
      return [expand(sliceAxis(x, axis, 0, 1), x.shape.with(axis, low)), expand(sliceAxis(x, axis, size - 1, size), x.shape.with(axis, high))];
    case 'circular':
      return [sliceAxis(x, axis, size - low, size), sliceAxis(x, axis, 0, high)];
  }
}

/** Grows axes by [low, high] elements each; a pair of zeros leaves an axis alone. */
export function padBorder(x: Node, padding: readonly PaddingPair[], mode: PaddingMode): Node {
  const what = describe('pad');
  if (!paddingModes.includes(mode)) throw new UserError(`${what}: there is no mode "${String(mode)}"`, { remedy: `use a number to fill with, or ${paddingModes.join(', ')}` });
  return padding.reduce((y, [low, high], axis) => {
    if (low === 0 && high === 0) return y;
    const most = limit(y.shape[axis] ?? 0, mode);
    if (!(Number.isInteger(low) && Number.isInteger(high) && low >= 0 && high >= 0)) {
      throw new ShapeError(`${what}: ${mode} padding [${low}, ${high}] is not whole and non-negative`, { remedy: 'slice to crop' });
    }
    if (low > most || high > most) {
      throw new ShapeError(`${what}: ${mode} padding [${low}, ${high}] for axis ${axis} of ${formatShape(x.shape)}`, { remedy: `it holds elements for at most ${most} on a side` });
    }
    const [before, after] = border(y, axis, [low, high], mode);
    return concatenate([before, y, after], axis);
  }, x);
}
