// How far two sets of values lie apart, or one set from nothing: a mean with its 95 % interval, and how that was made.
import { threefry2x32 } from '@athanor/core';
import { mean, studentQuantile, studentTail } from './statistics.ts';
import type { Interval } from './statistics.ts';

/** Values by seed. */
export type BySeed = ReadonlyMap<number, number>;

/** Student's t, or the percentile bootstrap. */
export type IntervalMethod = 't' | 'bootstrap';

/** An estimate over seeds. Without an interval, `reason` says why there is none. */
export interface Estimated {
  readonly mean: number;
  /** Seeds behind it: pairs, or the smaller of two sets. */
  readonly n: number;
  readonly interval: Interval | undefined;
  readonly method: 'one-sample t' | 'paired t' | 'Welch t' | 'bootstrap' | 'paired bootstrap' | 'two-sample bootstrap';
  readonly reason?: string;
  /** Of a difference by t: how likely one as large is, two-sided, if there is none. */
  readonly p?: number;
}

/** Fewer seeds than this say too little about their spread. */
const leastForStudent = 3;
/** The range of n values misses the median with probability 2^(1−n), which for six is 3 %. */
const leastForBootstrap = 6;
const resamples = 10_000;

/** The mean of values with its interval. */
export function estimateMean(values: readonly number[], method: IntervalMethod = 't'): Estimated {
  return oneSample(values, method, method === 't' ? 'one-sample t' : 'bootstrap');
}

/** `a − b`: of pairs where both have the same seeds, else of two independent sets (Welch 1947). */
export function estimateDifference(a: BySeed, b: BySeed, method: IntervalMethod = 't'): Estimated {
  const seeds = [...a.keys()];
  const paired = a.size === b.size && seeds.every((seed) => b.has(seed));
  if (paired) {
    const each = seeds.map((seed) => (a.get(seed) ?? NaN) - (b.get(seed) ?? NaN));
    const estimate = oneSample(each, method, method === 't' ? 'paired t' : 'paired bootstrap');
    return estimate.interval === undefined || method !== 't' ? estimate : { ...estimate, p: tailOf(mean(each), variance(each) / each.length, each.length - 1) };
  }
  const [first, second] = [[...a.values()], [...b.values()]];
  const n = Math.min(first.length, second.length);
  const estimate = { mean: mean(first) - mean(second), n, method: method === 't' ? ('Welch t' as const) : ('two-sample bootstrap' as const) };
  const reason = tooFew(n, method);
  if (reason !== undefined) return { ...estimate, interval: undefined, reason };
  if (method === 'bootstrap') return { ...estimate, interval: bootstrapInterval([first, second], ([one = [], two = []]) => mean(one) - mean(two)) };
  const { squaredError, freedom } = welch(first, second);
  return { ...estimate, interval: around(estimate.mean, halfWidth(squaredError, freedom)), p: tailOf(estimate.mean, squaredError, freedom) };
}

/** `a / b` of positive values, as the exponential of the difference of their logarithms: a quotient of geometric means. */
export function estimateRatio(a: BySeed, b: BySeed, method: IntervalMethod = 't'): Estimated {
  const logarithm = (values: BySeed) => new Map([...values].map(([seed, value]) => [seed, Math.log(value)] as const));
  const positive = [...a.values(), ...b.values()].every((value) => value > 0);
  const difference = estimateDifference(logarithm(a), logarithm(b), method);
  if (!positive) return { ...difference, mean: mean([...a.values()]) / mean([...b.values()]), interval: undefined, reason: 'a quotient is judged of positive values only' };
  const { interval } = difference;
  return { ...difference, mean: Math.exp(difference.mean), interval: interval === undefined ? undefined : { low: Math.exp(interval.low), high: Math.exp(interval.high) } };
}

function oneSample(values: readonly number[], method: IntervalMethod, name: Estimated['method']): Estimated {
  const n = values.length;
  const reason = tooFew(n, method);
  const estimate = { mean: mean(values), n, method: name };
  if (reason !== undefined) return { ...estimate, interval: undefined, reason };
  return { ...estimate, interval: method === 't' ? meanInterval(values) : bootstrapInterval([values], ([drawn = []]) => mean(drawn)) };
}

function tooFew(n: number, method: IntervalMethod): string | undefined {
  const least = method === 't' ? leastForStudent : leastForBootstrap;
  if (n >= least) return undefined;
  return `${n === 0 ? 'no value' : n === 1 ? 'one seed' : `${n} seeds`}: an interval${method === 't' ? '' : ' by bootstrap'} needs ${least}`;
}

/** Student's interval for a mean; a point where all values are the same. */
function meanInterval(values: readonly number[]): Interval {
  return around(mean(values), halfWidth(variance(values) / values.length, values.length - 1));
}

/** The squared standard error of a difference of means, and the degrees of freedom of Welch and Satterthwaite. */
function welch(a: readonly number[], b: readonly number[]): { squaredError: number; freedom: number } {
  const [u, v] = [variance(a) / a.length, variance(b) / b.length];
  return { squaredError: u + v, freedom: u + v === 0 ? 1 : (u + v) ** 2 / (u ** 2 / (a.length - 1) + v ** 2 / (b.length - 1)) };
}

function halfWidth(squaredError: number, freedom: number): number {
  return squaredError === 0 ? 0 : studentQuantile(0.975, freedom) * Math.sqrt(squaredError);
}

function tailOf(difference: number, squaredError: number, freedom: number): number {
  if (squaredError === 0) return difference === 0 ? 1 : 0;
  return studentTail(difference / Math.sqrt(squaredError), freedom);
}

/** The percentile bootstrap (Efron 1979): 2.5 % and 97.5 % points of a statistic of sets drawn again, with a fixed stream. */
export function bootstrapInterval(samples: readonly (readonly number[])[], statistic: (drawn: readonly (readonly number[])[]) => number): Interval {
  const next = indexStream();
  const drawn = Array.from({ length: resamples }, () => statistic(samples.map((values) => values.map(() => values[next(values.length)] ?? NaN))));
  drawn.sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.round(share * (resamples - 1))] ?? NaN;
  return { low: at(0.025), high: at(0.975) };
}

/** Whole numbers below a bound, the same ones each time. */
function indexStream(): (bound: number) => number {
  const block = new Uint32Array(2);
  let counter = 0;
  return (bound) => {
    threefry2x32(0x626f6f74, 0x73747261, counter++, 0, block);
    return Math.floor(((block[0] ?? 0) / 2 ** 32) * bound);
  };
}

function variance(values: readonly number[]): number {
  if (values.every((value) => value === values[0])) return 0;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

function around(middle: number, half: number): Interval {
  return { low: middle - half, high: middle + half };
}
