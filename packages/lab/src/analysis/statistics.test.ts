// Intervals against published numbers.
import { describe, expect, it } from 'vitest';
import { studentInterval, studentQuantile, wilsonInterval } from './statistics.ts';

describe('studentQuantile', () => {
  // Two-sided 95 % and 99 % points of the usual tables.
  it.each([
    [0.975, 1, 12.7062],
    [0.975, 2, 4.30265],
    [0.975, 4, 2.77645],
    [0.975, 9, 2.26216],
    [0.975, 30, 2.04227],
    [0.975, 1000, 1.96234],
    [0.995, 3, 5.84091],
  ])('at %d with %d degrees is %d', (p, freedom, expected) => {
    expect(studentQuantile(p, freedom)).toBeCloseTo(expected, 4);
  });
});

describe('wilsonInterval', () => {
  it('is that of 15 among 100', () => {
    const { low, high } = wilsonInterval(0.15, 100);
    expect([low, high].map((value) => value.toFixed(4))).toEqual(['0.0931', '0.2328']);
  });

  it('stays inside 0 and 1', () => {
    expect(wilsonInterval(1, 20).high).toBeCloseTo(1, 12);
    expect(wilsonInterval(0, 20).low).toBeCloseTo(0, 12);
    expect(wilsonInterval(0, 20).high).toBeCloseTo(0.1611, 4);
  });
});

describe('studentInterval', () => {
  it('is the textbook one', () => {
    const interval = studentInterval([1, 2, 3]);
    expect(interval?.low).toBeCloseTo(2 - 4.30265 / Math.sqrt(3), 5);
    expect(studentInterval([1])).toBeUndefined();
    expect(studentInterval([0.1, 0.1, 0.1])).toBeUndefined();
  });
});
