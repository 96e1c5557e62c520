// The iteration space of a kernel under construction: axes of one domain shape, each split into loops as needed.
import type { Affine } from '../kernel/ir.ts';
import { Refine, fixed } from './affine.ts';

/** outer and inner belong to loop kernels, the others to contractions. */
export type AxisClass = 'outer' | 'inner' | 'batch' | 'm' | 'n' | 'k';

const classOrder: Record<AxisClass, number> = { batch: 0, outer: 1, m: 2, n: 3, inner: 4, k: 5 };

export interface Axis {
  readonly size: number;
  readonly class: AxisClass;
  /** Sizes of the loops that make up the axis, outermost first; their product is `size`. Size-1 axes have none. */
  readonly factors: readonly number[];
}

export interface Space {
  readonly axes: readonly Axis[];
  /** Loop sizes, ordered by class, then by axis. */
  readonly loops: readonly number[];
  readonly classes: readonly AxisClass[];
  /** The index of each axis as an affine function of the loops. */
  readonly index: readonly Affine[];
  /** Axis and factor of each loop. */
  readonly origin: readonly { readonly axis: number; readonly factor: number }[];
}

export function makeAxis(size: number, axisClass: AxisClass): Axis {
  return { size, class: axisClass, factors: size === 1 ? [] : [size] };
}

export function makeSpace(axes: readonly Axis[]): Space {
  const origin = axes
    .flatMap((axis, i) => axis.factors.map((_, factor) => ({ axis: i, factor })))
    .sort((x, y) => classOrder[axes[x.axis]?.class ?? 'outer'] - classOrder[axes[y.axis]?.class ?? 'outer'] || x.axis - y.axis || x.factor - y.factor);
  const loops = origin.map(({ axis, factor }) => axes[axis]?.factors[factor] ?? 1);
  const classes = origin.map(({ axis }) => axes[axis]?.class ?? 'outer');
  const index = axes.map((axis, i): Affine => {
    const strides = new Array<number>(loops.length).fill(0);
    let stride = 1;
    for (let factor = axis.factors.length - 1; factor >= 0; factor--) {
      strides[origin.findIndex((place) => place.axis === i && place.factor === factor)] = stride;
      stride *= axis.factors[factor] ?? 1;
    }
    return axis.factors.length === 0 ? fixed(0, loops.length) : { offset: 0, strides };
  });
  return { axes, loops, classes, index, origin };
}

/** The space with one loop split in two. */
function refine(space: Space, request: Refine): Space {
  const place = space.origin[request.loop];
  const axes = space.axes.map((axis, i) => {
    if (place === undefined || i !== place.axis) return axis;
    const factors = axis.factors.flatMap((size, f) => (f === place.factor ? [size / request.inner, request.inner] : [size]));
    return { ...axis, factors };
  });
  return makeSpace(axes);
}

const maximumLoops = 16;
const shortRun = 8;

/** Whether the axis that lies closest in memory is cut into runs too short for vectors. */
export function hasShortRuns(space: Space): boolean {
  const fast = space.axes.findLast((axis) => axis.class !== 'k' && axis.size !== 1);
  return fast !== undefined && fast.factors.length > 1 && (fast.factors.at(-1) ?? shortRun) < shortRun;
}

/** Whether a split would cut the axis that lies closest in memory into runs too short for vectors. */
export function cutsVectors(space: Space, request: Refine): boolean {
  const fast = space.axes.findLastIndex((axis) => axis.class !== 'k' && axis.size !== 1);
  return request.inner < shortRun && space.origin[request.loop]?.axis === fast;
}

/** Runs `attempt`, splitting loops and starting over as long as it asks for splits. */
export function withRefinement<T>(space: Space, attempt: (space: Space) => T): T {
  for (let current = space; ; ) {
    try {
      return attempt(current);
    } catch (error) {
      if (!(error instanceof Refine) || current.loops.length >= maximumLoops) throw error;
      current = refine(current, error);
    }
  }
}
