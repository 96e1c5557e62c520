// Resizing of spatial axes: each axis by itself, as a weighted sum of a few elements picked by position.
import { arrayOf, isFloat } from '../../dtype.ts';
import { DtypeError, UserError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { fromBuffer } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { adaptiveAvgPool } from './pooling.ts';
import { perAxis, spatialRank, type PerAxis } from './spatial.ts';

const ranks = { nearest: undefined, 'nearest-exact': undefined, area: undefined, linear: 1, bilinear: 2, trilinear: 3, bicubic: 2 } as const;

/** The linear and cubic modes name their number of spatial axes; the others take any. */
export type InterpolationMode = keyof typeof ranks;

export interface InterpolateOptions {
  /** Spatial sizes of the result. */
  readonly size?: PerAxis | undefined;
  /** Factors on the spatial sizes, instead of `size`. */
  readonly scaleFactor?: PerAxis | undefined;
  /** `nearest` unless given. */
  readonly mode?: InterpolationMode;
  /** Whether the outermost elements' centres coincide, instead of their outer edges. For the linear and cubic modes. */
  readonly alignCorners?: boolean;
}

/** How one axis is resized: `scale` is the distance of neighbours of the result on the input. */
interface Resize {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly alignCorners: boolean;
}

/** One summand of each element of the result: positions on the input, and weights. */
interface Tap {
  readonly positions: Int32Array;
  readonly weights: Float64Array;
}

/** Positions as PyTorch computes them, in float32. */
function nearestPositions({ from, to, scale }: Resize, exact: boolean): Int32Array {
  const shift = exact ? 0.5 : 0;
  return Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(Math.fround((i + shift) * Math.fround(scale)))));
}

function nearest(x: Tensor, resize: Resize, exact: boolean): Tensor {
  const { axis, from, to, scale } = resize;
  if (to % from === 0 && scale === from / to) return x.repeatInterleave(to / from, axis);
  if (from % to === 0 && scale === from / to) return x.slice(axis, exact ? Math.floor(scale / 2) : 0, from, scale);
  return x.indexSelect(axis, fromBuffer(nearestPositions(resize, exact), [to]));
}

/** Where the elements of the result lie on the input. */
function sources({ from, to, scale, alignCorners }: Resize): Float64Array {
  const step = alignCorners ? (to > 1 ? (from - 1) / (to - 1) : 0) : scale;
  return Float64Array.from({ length: to }, (_, i) => (alignCorners ? i * step : (i + 0.5) * step - 0.5));
}

/** Summands at the distances `offsets` from the element before each source, with weights of the rest of the way. */
function taps(resize: Resize, places: Float64Array, kernel: readonly (readonly [offset: number, weight: (t: number) => number])[]): Tap[] {
  return kernel.map(([offset, weight]) => ({
    positions: Int32Array.from(places, (place) => Math.min(resize.from - 1, Math.max(0, Math.floor(place) + offset))),
    weights: places.map((place) => weight(place - Math.floor(place))),
  }));
}

/** Keys's cubic convolution (1981) with a = −3/4. */
const cubic = ((a: number) => {
  const near = (t: number): number => ((a + 2) * t - (a + 3)) * t * t + 1;
  const far = (t: number): number => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return [[-1, (t) => far(t + 1)], [0, near], [1, (t) => near(1 - t)], [2, (t) => far(2 - t)]] as const satisfies readonly (readonly [number, (t: number) => number])[];
})(-0.75);

const linear = [[0, (t: number) => 1 - t], [1, (t: number) => t]] as const;

function weighted(x: Tensor, { axis, to }: Resize, summands: readonly Tap[]): Tensor {
  const parts = summands.map(({ positions, weights }) => {
    const values = arrayOf(x.dtype, to);
    values.set(weights);
    return x.indexSelect(axis, fromBuffer(positions, [to])).mul(fromBuffer(values, x.shape.map((_, i) => (i === axis ? to : 1))));
  });
  return parts.reduce((sum, part) => sum.add(part));
}

function resizeAxis(x: Tensor, resize: Resize, mode: Exclude<InterpolationMode, 'area'>): Tensor {
  if (resize.from === resize.to && resize.scale === 1) return x;
  switch (mode) {
    case 'nearest':
    case 'nearest-exact':
      return nearest(x, resize, mode === 'nearest-exact');
    case 'bicubic':
      return weighted(x, resize, taps(resize, sources(resize), cubic));
    case 'linear':
    case 'bilinear':
    case 'trilinear':
      return weighted(x, resize, taps(resize, sources(resize).map((place) => Math.max(0, place)), linear));
  }
}

/**
 * x [N, C, …S] resized to `size`, or by `scaleFactor`: [N, C, …S′]. As in PyTorch, a scale factor itself says where
 * elements lie, also where the size had to be rounded down.
 */
export function interpolate(x: Tensor, { size, scaleFactor, mode = 'nearest', alignCorners = false }: InterpolateOptions): Tensor {
  const what = 'interpolate';
  if (!Object.hasOwn(ranks, mode)) throw new UserError(`${describe(what)}: there is no mode "${mode}"`, { remedy: `modes are ${Object.keys(ranks).join(', ')}` });
  const rank = spatialRank(x, what, ranks[mode]);
  if ((size === undefined) === (scaleFactor === undefined)) throw new UserError(`${describe(what)}: needs either size or scaleFactor`);
  if (alignCorners && (ranks[mode] === undefined)) throw new UserError(`${describe(what)}: mode ${mode} does not align corners`, { remedy: 'use a linear or cubic mode' });
  if (mode !== 'nearest' && mode !== 'nearest-exact' && !isFloat(x.dtype)) throw new DtypeError(`${describe(what)}: ${mode} of dtype ${x.dtype}`, { remedy: 'cast to float32 first' });
  const spatial = x.shape.slice(2);
  const factors = scaleFactor === undefined ? undefined : perAxis(scaleFactor, rank, `${what} scaleFactor`);
  const sizes = factors === undefined ? perAxis(size ?? 1, rank, `${what} size`) : spatial.map((from, axis) => Math.floor(from * (factors[axis] ?? 1)));
  if (sizes.some((to) => !(Number.isInteger(to) && to > 0)) || spatial.includes(0)) {
    throw new UserError(`${describe(what)}: from sizes ${formatShape(spatial)} to ${formatShape(sizes)}`, { remedy: 'sizes are whole numbers from 1' });
  }
  if (mode === 'area') return adaptiveAvgPool(x, sizes);
  return spatial.reduce((y, from, axis) => {
    const to = sizes[axis] ?? from;
    const scale = factors === undefined ? from / to : 1 / (factors[axis] ?? 1);
    return resizeAxis(y, { axis: axis + 2, from, to, scale, alignCorners }, mode);
  }, x);
}
