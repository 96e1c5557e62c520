// Windows over spatial axes: what pooling and unfolding share.
import { ShapeError, UserError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { pad, slice, window } from '../../graph/move.ts';
import type { Node, PaddingPair } from '../../graph/node.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { perAxis, spatialRank, type PerAxis } from './spatial.ts';

export interface WindowOptions {
  readonly kernel: PerAxis;
  readonly stride?: PerAxis | undefined;
  readonly padding?: PerAxis;
  readonly dilation?: PerAxis;
  /** Keep windows that start inside the input (or its low padding) but end outside. */
  readonly ceilMode?: boolean;
}

/** Options as one number per spatial axis, and how many windows there are. */
export interface WindowLayout {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly sizes: readonly number[];
}

/** The layout of windows over x [N, C, …S]; the stride is the kernel's size unless given. */
export function windowLayout(x: Tensor, options: WindowOptions, what: string): WindowLayout {
  const rank = spatialRank(x, what);
  const axes = (value: PerAxis, name: string, least = 1): number[] => perAxis(value, rank, `${what} ${name}`, least);
  const kernel = axes(options.kernel, 'kernel');
  const [stride, padding, dilation] = [axes(options.stride ?? kernel, 'stride'), axes(options.padding ?? 0, 'padding', 0), axes(options.dilation ?? 1, 'dilation')];
  const sizes = kernel.map((size, axis) => {
    const [length, border, step] = [x.shape[axis + 2] ?? 0, padding[axis] ?? 0, stride[axis] ?? 1];
    const room = (length + 2 * border - (dilation[axis] ?? 1) * (size - 1) - 1) / step;
    const count = (options.ceilMode === true ? Math.ceil(room) : Math.floor(room)) + 1;
    return options.ceilMode === true && (count - 1) * step >= length + border ? count - 1 : count;
  });
  if (sizes.some((size) => size < 1)) throw new ShapeError(`${describe(what)}: a kernel ${formatShape(kernel)} does not fit ${formatShape(x.shape)}`);
  return { kernel, stride, padding, dilation, sizes };
}

/** A layout whose every window touches the input. */
export function poolingLayout(x: Tensor, options: WindowOptions, what: string): WindowLayout {
  const places = windowLayout(x, options, what);
  if (places.padding.some((border, axis) => 2 * border > (places.kernel[axis] ?? 0))) {
    throw new UserError(`${describe(what)}: padding ${formatShape(places.padding)} is more than half of the kernel ${formatShape(places.kernel)}`, {
      remedy: 'some windows would lie in the padding',
    });
  }
  return places;
}

/** [N, C, …S] as [N, C, …S′, …K]; cells outside of the input hold `fill`. */
export function windows(x: Node, { kernel, stride, padding, dilation, sizes }: WindowLayout, fill: number): Node {
  const needed = sizes.map((count, axis) => (count - 1) * (stride[axis] ?? 1) + (dilation[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1);
  const pairs = needed.map((length, axis): PaddingPair => {
    const low = padding[axis] ?? 0;
    return [low, Math.max(0, length - low - (x.shape[axis + 2] ?? 0))];
  });
  let y = pad(x, [[0, 0], [0, 0], ...pairs], fill);
  const all = y.shape.map(() => 0);
  y = slice(y, all, [...y.shape.slice(0, 2), ...needed], all.map(() => 1));
  kernel.forEach((size, axis) => {
    y = window(y, axis + 2, { size, stride: stride[axis] ?? 1, dilation: dilation[axis] ?? 1 });
  });
  return y;
}

/** The axes of the offsets inside windows. */
export function offsetAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => rank + 2 + axis);
}
