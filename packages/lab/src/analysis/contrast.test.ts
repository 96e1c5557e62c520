// Intervals of differences, against numbers computed with SciPy 1.17.1 (ttest_1samp, ttest_rel, ttest_ind with equal_var=False).
import { describe, expect, it } from 'vitest';
import { bootstrapInterval, estimateDifference, estimateMean, estimateRatio } from './contrast.ts';
import { mean } from './statistics.ts';

const bySeed = (values: readonly number[], first = 0) => new Map(values.map((value, index) => [first + index, value] as const));
const a = [0.71, 0.74, 0.7];
const b = [0.65, 0.66, 0.67];

describe('estimateDifference', () => {
  it('pairs equal seeds, whatever their order', () => {
    const turned = new Map([...bySeed(b)].toReversed());
    const { mean: middle, n, method, interval, p } = estimateDifference(bySeed(a), turned);
    expect(p).toBeCloseTo(0.0598978519, 9);
    expect({ middle, n, method }).toEqual({ middle: expect.closeTo(0.0566667, 6) as number, n: 3, method: 'paired t' });
    expect(interval?.low).toBeCloseTo(-0.0058494281, 8);
    expect(interval?.high).toBeCloseTo(0.1191827615, 8);
  });

  it('does not pair other seeds', () => {
    const { method, interval, n, p } = estimateDifference(bySeed(a), bySeed(b, 10));
    expect(p).toBeCloseTo(0.0259518411, 9);
    expect({ method, n }).toEqual({ method: 'Welch t', n: 3 });
    expect(interval?.low).toBeCloseTo(0.013183701, 8);
    expect(interval?.high).toBeCloseTo(0.1001496323, 8);
  });

  it('is a point where nothing varies', () => {
    expect(estimateDifference(bySeed([1, 2, 3]), bySeed([0, 1, 2]))).toMatchObject({ interval: { low: 1, high: 1 }, p: 0 });
    expect(estimateDifference(bySeed([1, 1, 1]), bySeed([0, 0, 0], 5))).toMatchObject({ interval: { low: 1, high: 1 }, p: 0 });
    expect(estimateDifference(bySeed([1, 2, 3]), bySeed([1, 2, 3])).p).toBe(1);
  });

  it('gives no interval for too few seeds, and says so', () => {
    expect(estimateDifference(bySeed([1, 2]), bySeed([0, 1]))).toEqual({
      mean: 1,
      n: 2,
      method: 'paired t',
      interval: undefined,
      reason: '2 seeds: an interval needs 3',
    });
    expect(estimateDifference(bySeed(a), bySeed(b), 'bootstrap').reason).toBe('3 seeds: an interval by bootstrap needs 6');
    expect(estimateDifference(bySeed([1]), bySeed([0, 1, 2])).reason).toBe('one seed: an interval needs 3');
  });
});

describe('estimateMean', () => {
  it('is the textbook one', () => {
    const { interval } = estimateMean([1, 2, 3]);
    expect(interval?.low).toBeCloseTo(2 - 4.30265 / Math.sqrt(3), 4);
    expect(estimateMean([0.1, 0.1, 0.1]).interval).toEqual({ low: expect.closeTo(0.1, 15) as number, high: expect.closeTo(0.1, 15) as number });
  });
});

describe('estimateRatio', () => {
  it('is the exponential of a difference of logarithms', () => {
    const { mean: middle, interval } = estimateRatio(bySeed(a), bySeed(b));
    expect(middle).toBeCloseTo(Math.cbrt((0.71 * 0.74 * 0.7) / (0.65 * 0.66 * 0.67)), 12);
    expect(interval?.low).toBeCloseTo(0.9935059505, 8);
    expect(interval?.high).toBeCloseTo(1.1863154954, 8);
  });

  it('of values that are not positive is not judged', () => {
    const { mean: middle, interval, reason } = estimateRatio(bySeed([0, 1, 2]), bySeed([1, 1, 1]));
    expect({ middle, interval, reason }).toEqual({ middle: 1, interval: undefined, reason: 'a quotient is judged of positive values only' });
  });
});

describe('bootstrapInterval', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

  it('is the same each time, near the normal one', () => {
    const interval = bootstrapInterval([values], ([drawn = []]) => mean(drawn));
    expect(bootstrapInterval([values], ([drawn = []]) => mean(drawn))).toEqual(interval);
    const half = 1.96 * Math.sqrt(8.25 / 10);
    expect(Math.abs(interval.low - (5.5 - half))).toBeLessThan(0.11);
    expect(Math.abs(interval.high - (5.5 + half))).toBeLessThan(0.11);
  });

  it('draws independent sets by themselves', () => {
    const { interval, method } = estimateDifference(bySeed(values), bySeed(values.map((value) => value - 5), 20), 'bootstrap');
    expect(method).toBe('two-sample bootstrap');
    const half = 1.96 * Math.sqrt((2 * 8.25) / 10);
    expect(Math.abs((interval?.low ?? 0) - (5 - half))).toBeLessThan(0.15);
    expect(Math.abs((interval?.high ?? 0) - (5 + half))).toBeLessThan(0.15);
  });
});
