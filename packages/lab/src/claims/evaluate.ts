// Judging claims: the quantity that each speaks of, its interval over seeds, and whether that lies where it must.
import { didYouMean } from '@athanor/core/plugin';
import { estimateDifference, estimateMean, estimateRatio } from '../analysis/contrast.ts';
import type { Estimated } from '../analysis/contrast.ts';
import type { Interval } from '../analysis/statistics.ts';
import { formatNumber, formatValues } from '../terminal/format.ts';
import type { MeasuredVariant } from './measure.ts';
import { formOf } from './schema.ts';
import type { Claim, ClaimExpectation, Selector } from './schema.ts';
import { select, selectOne } from './select.ts';

/**
 * `holds`: the whole 95 % interval lies where the claim says. `fails`: none of it does. Else
 * `undecided`, as is all that has no interval.
 */
export type Verdict = 'holds' | 'fails' | 'undecided';

/** What was made of a claim. */
export interface Judgement {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** What was estimated: `test.accuracy: norm=batch − norm=none`. */
  readonly quantity: string;
  /** Where it must lie: `> 0.01`. */
  readonly expected: string;
  /** Absent where values are missing. */
  readonly estimate?: { readonly mean: number; readonly interval: Interval | undefined; readonly n: number; readonly method: Estimated['method'] | 'exact' };
  /** Why it is undecided. */
  readonly reason?: string;
  /** The variants that were looked at, with the metric's values by seed. */
  readonly sides: readonly Side[];
}

export interface Side {
  readonly name: string;
  readonly values: ReadonlyMap<number, number>;
}

/** Where a quantity must lie. `open`: its ends do not belong to it. */
interface Region {
  readonly low: number;
  readonly high: number;
  readonly open: boolean;
}

/** A reason for which nothing can be said. */
class Unknown extends Error {}

/** Judges every claim by the numbers of a study's variants. */
export function judgeClaims(claims: readonly Claim[], variants: readonly MeasuredVariant[]): Judgement[] {
  return claims.map((claim) => judge(claim, variants));
}

function judge(claim: Claim, variants: readonly MeasuredVariant[]): Judgement {
  const { expect } = claim;
  const region = regionOf(expect);
  const told = { claim, quantity: quantityOf(expect), expected: textOf(region, formOf(expect)) };
  try {
    const { sides, each, estimate } = measureQuantity(expect, variants);
    if (expect.exact) {
      if (each === undefined) throw new Unknown('an exact claim compares equal seeds');
      const verdict = each.length > 0 && each.every((value) => lies(value, region)) ? 'holds' : 'fails';
      const interval = { low: Math.min(...each), high: Math.max(...each) };
      return { ...told, sides, verdict, estimate: { mean: estimate().mean, interval, n: each.length, method: 'exact' } };
    }
    const { reason, ...estimated } = estimate();
    return { ...told, sides, verdict: verdictOf(estimated.interval, region), estimate: estimated, ...(reason === undefined ? {} : { reason }) };
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    return { ...told, sides: [], verdict: 'undecided', reason: error.message };
  }
}

interface Quantity {
  readonly sides: readonly Side[];
  /** The quantity for each seed; undefined where the sides have different seeds. */
  readonly each: readonly number[] | undefined;
  /** Over all seeds. */
  readonly estimate: () => Estimated;
}

function measureQuantity(expect: ClaimExpectation, variants: readonly MeasuredVariant[]): Quantity {
  const { metric, interval: method } = expect;
  const side = (selector: Selector | undefined) => sideOf(selector ?? {}, metric, variants);
  const form = formOf(expect);
  switch (form) {
    case 'of': {
      const only = side(expect.of);
      const each = [...only.values.values()];
      return { sides: [only], each, estimate: () => estimateMean(each, method) };
    }
    case 'higher':
    case 'lower':
    case 'equal': {
      const [a, b] = [side(expect[form]), side(form === 'equal' ? expect.to : expect.than)];
      return { sides: [a, b], each: eachPair(a, b, (x, y) => x - y), estimate: () => estimateDifference(a.values, b.values, method) };
    }
    case 'ratio': {
      const [a, b] = [side(expect.ratio), side(expect.to)];
      return { sides: [a, b], each: eachPair(a, b, (x, y) => x / y), estimate: () => estimateRatio(a.values, b.values, method) };
    }
    case 'count': {
      const chosen = select(variants, expect.count ?? {});
      if (chosen.length === 0) throw new Unknown('the sweep has no such variant');
      const sides = chosen.map((variant) => valuesOf(variant, metric));
      const seeds = [...new Set(sides.flatMap(({ values }) => [...values.keys()]))];
      const counted = seeds.filter((seed) => sides.every(({ values }) => values.has(seed)));
      const { above = -Infinity, below = Infinity } = expect;
      const each = counted.map((seed) => sides.filter(({ values }) => isBetween(values.get(seed), above, below)).length);
      return { sides, each, estimate: () => estimateMean(each, method) };
    }
  }
}

function isBetween(value: number | undefined, above: number, below: number): boolean {
  return value !== undefined && value > above && value < below;
}

function sideOf(selector: Selector, metric: string, variants: readonly MeasuredVariant[]): Side {
  const variant = selectOne(variants, selector);
  if (variant === undefined) throw new Unknown(`the sweep has ${select(variants, selector).length === 0 ? 'no variant' : 'several variants'} ${formatValues(selector)}`.trimEnd());
  return valuesOf(variant, metric);
}

function valuesOf({ name, numbers }: MeasuredVariant, metric: string): Side {
  const values = new Map<number, number>();
  for (const [seed, found] of numbers) {
    if (found === undefined) throw new Unknown(`${name} has no result with seed ${seed}`);
    const value = found.get(metric);
    if (value === undefined) throw new Unknown(`${name} has no ${JSON.stringify(metric)}${didYouMean(metric, [...found.keys()].filter((known) => known.includes('/') === metric.includes('/')))}`);
    if (!Number.isFinite(value)) throw new Unknown(`${metric} of ${name} is not a finite number with seed ${seed}`);
    values.set(seed, value);
  }
  return { name, values };
}

function eachPair(a: Side, b: Side, combine: (x: number, y: number) => number): number[] | undefined {
  if (a.values.size !== b.values.size) return undefined;
  const pairs = [...a.values].map(([seed, x]) => [x, b.values.get(seed)] as const);
  return pairs.every(([, y]) => y !== undefined) ? pairs.map(([x, y]) => combine(x, y ?? NaN)) : undefined;
}

function regionOf(expect: ClaimExpectation): Region {
  const { by = 0, within = 0, atLeast = -Infinity, atMost = Infinity } = expect;
  const form = formOf(expect);
  switch (form) {
    case 'higher':
      return { low: by, high: Infinity, open: true };
    case 'lower':
      return { low: -Infinity, high: -by, open: true };
    case 'equal':
      return { low: -within, high: within, open: false };
    case 'of':
    case 'ratio':
    case 'count':
      return { low: atLeast, high: atMost, open: false };
  }
}

function verdictOf(interval: Interval | undefined, region: Region): Verdict {
  if (interval === undefined) return 'undecided';
  if (lies(interval.low, region) && lies(interval.high, region)) return 'holds';
  const apart = region.open ? interval.high <= region.low || interval.low >= region.high : interval.high < region.low || interval.low > region.high;
  return apart ? 'fails' : 'undecided';
}

function lies(value: number, { low, high, open }: Region): boolean {
  return open ? value > low && value < high : value >= low && value <= high;
}

function quantityOf(expect: ClaimExpectation): string {
  const { metric, above, than = {}, to = {} } = expect;
  const named = (selector: Selector | undefined) => formatValues(selector ?? {}) || 'all';
  const form = formOf(expect);
  switch (form) {
    case 'of':
      return `${metric}: ${named(expect.of)}`;
    case 'higher':
    case 'lower':
      return `${metric}: ${named(expect[form])} − ${named(than)}`;
    case 'equal':
      return `${metric}: ${named(expect.equal)} − ${named(to)}`;
    case 'ratio':
      return `${metric}: ${named(expect.ratio)} / ${named(to)}`;
    case 'count':
      return `variants with ${metric} ${above === undefined ? `< ${expect.below}` : `> ${above}`}: ${named(expect.count)}`;
  }
}

function textOf({ low, high, open }: Region, form: string): string {
  if (form === 'equal') return `within ±${formatNumber(high)}`;
  if (low === -Infinity) return `${open ? '<' : '≤'} ${formatNumber(high)}`;
  if (high === Infinity) return `${open ? '>' : '≥'} ${formatNumber(low)}`;
  return `${formatNumber(low)} … ${formatNumber(high)}`;
}
