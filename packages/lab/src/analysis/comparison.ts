// Variants compared by one metric: which differences are more than chance, when several are looked at.
import { estimateDifference } from './contrast.ts';
import type { BySeed, Estimated } from './contrast.ts';

/** A difference among several. */
export interface Contrast {
  readonly estimate: Estimated;
  /** p after Holm's correction for all differences that were looked at together; undefined where it cannot be told. */
  readonly p: number | undefined;
  /** The corrected p is below 5 %. */
  readonly real: boolean;
}

/** Each variant minus the one at its place in `bases`; undefined for those that are their own base. All are corrected together. */
export function contrastsTo(bases: readonly number[], variants: readonly BySeed[]): (Contrast | undefined)[] {
  const none: BySeed = new Map();
  const others = variants.flatMap((variant, index) => {
    const base = bases[index] ?? index;
    return base === index ? [] : [{ index, estimate: estimateDifference(variant, variants[base] ?? none) }];
  });
  const corrected = correct(others.map(({ estimate }) => estimate));
  return variants.map((_, index) => corrected[others.findIndex((other) => other.index === index)]);
}

/** Row minus column for all pairs, corrected together; the diagonal is undefined. */
export function contrastsOfPairs(variants: readonly BySeed[]): (Contrast | undefined)[][] {
  const pairs = variants.flatMap((a, row) => variants.slice(0, row).map((b, column) => ({ row, column, estimate: estimateDifference(a, b) })));
  const corrected = correct(pairs.map(({ estimate }) => estimate));
  const at = (row: number, column: number) => corrected[pairs.findIndex((pair) => pair.row === row && pair.column === column)];
  return variants.map((_, row) => variants.map((_, column) => (row >= column ? at(row, column) : turned(at(column, row)))));
}

/** Holm's step-down correction (1979): the smallest of m values times m, the next times m − 1, and never below the one before. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).toSorted((a, b) => a.value - b.value);
  const corrected = new Array<number>(values.length).fill(1);
  let least = 0;
  for (const [rank, { value, index }] of order.entries()) {
    least = Math.max(least, Math.min(1, value * (values.length - rank)));
    corrected[index] = least;
  }
  return corrected;
}

function correct(estimates: readonly Estimated[]): Contrast[] {
  const corrected = holm(estimates.flatMap(({ p }) => (p === undefined ? [] : [p])));
  let next = 0;
  return estimates.map((estimate) => {
    const p = estimate.p === undefined ? undefined : corrected[next++];
    return { estimate, p, real: p !== undefined && p < 0.05 };
  });
}

function turned(contrast: Contrast | undefined): Contrast | undefined {
  if (contrast === undefined) return undefined;
  const { estimate } = contrast;
  const { interval } = estimate;
  return { ...contrast, estimate: { ...estimate, mean: -estimate.mean, interval: interval === undefined ? undefined : { low: -interval.high, high: -interval.low } } };
}
