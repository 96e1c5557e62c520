// Gradients of the movements that leave elements out or read them more than once.
import { pad, permute, reshape } from '../graph/move.ts';
import type { Node, NodeOf } from '../graph/node.ts';
import * as h from './helpers.ts';

/** Undoes `window`: the sum of the windows, each moved to where it was read. */
export function windowGradient(dy: Node, y: NodeOf<'window'>, x: Node): Node {
  const { axis, size, stride, dilation } = y.attributes;
  const last = y.shape.length - 1;
  const length = x.shape[axis] ?? 0;
  const count = y.shape[axis] ?? 0;
  if (dilation === 1 && stride >= size) {
    // Windows that do not overlap: their offsets go back beside their positions.
    const order = [...x.shape.keys()].flatMap((i) => (i === axis ? [i, last] : [i]));
    const blocks = permute(h.padAxis(dy, last, [0, stride - size]), order);
    const joined = reshape(blocks, x.shape.map((other, i) => (i === axis ? count * stride : other)));
    const cropped = h.sliceAxis(joined, axis, 0, Math.min(length, count * stride));
    return h.padAxis(cropped, axis, [0, Math.max(0, length - count * stride)]);
  }
  let total: Node | undefined;
  for (let offset = 0; offset < size; offset++) {
    const one = reshape(h.sliceAxis(dy, last, offset, offset + 1), y.shape.slice(0, -1));
    const apart = h.dilate(one, axis, stride);
    const low = offset * dilation;
    const moved = h.padAxis(apart, axis, [low, length - low - (apart.shape[axis] ?? 0)]);
    total = total === undefined ? moved : h.add(total, moved);
  }
  return total ?? h.zerosLike(x);
}

/** Undoes `slice`: what was left out gets 0. */
export function sliceGradient(dy: Node, y: NodeOf<'slice'>, x: Node): Node {
  const { start, step } = y.attributes;
  const spread = y.shape.reduce((values: Node, _, axis) => h.dilate(values, axis, step[axis] ?? 1), dy);
  return pad(spread, spread.shape.map((size, axis) => [start[axis] ?? 0, (x.shape[axis] ?? 0) - (start[axis] ?? 0) - size]), 0);
}
