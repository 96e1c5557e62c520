// The iteration space of a kernel under construction: axes of one domain shape, each split into loops as needed.
import type { Affine } from '../kernel/ir.ts';
import { Refine } from './affine.ts';

/** outer and inner belong to loop kernels, the others to contractions. */
export type AxisClass = 'outer' | 'inner' | 'batch' | 'm' | 'n' | 'k';

const classOrder: readonly AxisClass[] = ['batch', 'outer', 'm', 'n', 'inner', 'k'];

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
  const count = axes.reduce((sum, axis) => sum + axis.factors.length, 0);
  const index = axes.map(() => ({ offset: 0, strides: new Array<number>(count).fill(0) }));
  const [loops, classes, origin]: [number[], AxisClass[], { axis: number; factor: number }[]] = [[], [], []];
  for (const axisClass of classOrder) {
    for (let i = 0; i < axes.length; i++) {
      const axis = axes[i];
      if (axis?.class !== axisClass) continue;
      const first = loops.length;
      for (let factor = 0; factor < axis.factors.length; factor++) {
        loops.push(axis.factors[factor] ?? 1);
        classes.push(axisClass);
        origin.push({ axis: i, factor });
      }
      const strides = index[i]?.strides ?? [];
      for (let loop = loops.length - 1, stride = 1; loop >= first; loop--) {
        strides[loop] = stride;
        stride *= loops[loop] ?? 1;
      }
    }
  }
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
