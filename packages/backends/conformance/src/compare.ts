// Comparison of results with the reference: in units in the last place.
import { castNumber, isFloat, type Dtype } from '@athanor/core/backend';
import type { Tolerance } from './problem.ts';

/** 2^-23 for float32, 2^-52 for float64. */
const epsilon = { float32: 2 ** -23, float64: 2 ** -52 } as const;
/** Results below the smallest normal number may be flushed to zero. */
const smallestNormal = { float32: 2 ** -126, float64: 2 ** -1022 } as const;

export interface Difference {
  readonly index: number;
  readonly got: number;
  readonly want: number;
  /** Error in units in the last place, Infinity where one of the two is not a number. */
  readonly ulps: number;
}

/** The worst element that is out of tolerance, if there is one. `want` is in float64. */
export function compare(got: ArrayLike<number>, want: ArrayLike<number>, dtype: Dtype, tolerance: Tolerance): Difference | undefined {
  if (got.length !== want.length) return { index: Math.min(got.length, want.length), got: got.length, want: want.length, ulps: Infinity };
  let worst: Difference | undefined;
  for (let i = 0; i < want.length; i++) {
    const [x, exactly] = [got[i] ?? 0, want[i] ?? 0];
    const y = castNumber(exactly, dtype);
    const ulps = errorOf(x, y, exactly, dtype, tolerance);
    if (ulps > tolerance.ulps && ulps > (worst?.ulps ?? 0)) worst = { index: i, got: x, want: y, ulps };
  }
  return worst;
}

function errorOf(got: number, rounded: number, exactly: number, dtype: Dtype, { ulps, scale = 0, signedZero = false }: Tolerance): number {
  if (Object.is(got, rounded)) return 0;
  if (got === rounded) return signedZero ? Infinity : 0;
  if (dtype !== 'float32' && dtype !== 'float64') return Infinity;
  if (!Number.isFinite(got) || !Number.isFinite(rounded)) return overflowIsClose(got, rounded, exactly, dtype, ulps) ? 0 : Infinity;
  const size = Math.max(Math.abs(exactly), scale);
  if (size < smallestNormal[dtype] && Math.abs(got) < smallestNormal[dtype]) return 0;
  const unit = epsilon[dtype] * 2 ** Math.floor(Math.log2(Math.max(size, smallestNormal[dtype])));
  return Math.abs(got - (ulps === 0 ? rounded : exactly)) / unit;
}

/** The largest finite number and infinity are neighbours. */
function overflowIsClose(got: number, rounded: number, exactly: number, dtype: 'float32' | 'float64', ulps: number): boolean {
  if (Number.isNaN(got) || Number.isNaN(rounded) || ulps === 0 || dtype === 'float64') return false;
  const largest = 2 ** 128;
  return Math.sign(got) === Math.sign(rounded) && Math.abs(Math.min(Math.abs(exactly), 2 ** 129) - largest) <= ulps * 2 ** 104;
}

/** Whether a dtype's results may differ from the reference at all. */
export function isInexact(dtype: Dtype, { ulps }: Tolerance): boolean {
  return isFloat(dtype) && ulps > 0;
}
