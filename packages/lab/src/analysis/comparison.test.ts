// Differences among several variants: Holm's correction, and what it leaves.
import { describe, expect, it } from 'vitest';
import { contrastsOfPairs, contrastsTo, holm } from './comparison.ts';

const bySeed = (...values: readonly number[]) => new Map(values.map((value, seed) => [seed, value] as const));

describe('holm', () => {
  it('steps down', () => {
    // Worked by hand: 0.01·4, 0.02·3, 0.03·2 raised to the one before, 0.5·1.
    expect(holm([0.02, 0.5, 0.01, 0.03])).toEqual([0.06, 0.5, 0.04, 0.06]);
    expect(holm([0.4, 0.9])).toEqual([0.8, 0.9]);
    expect(holm([])).toEqual([]);
  });
});

// Against none: batch differs by 0.1 ± 0.01 (p = 0.0033), layer by 0.04 ± 0.02 (p = 0.0742), copy not at all.
const none = bySeed(0.61, 0.63, 0.61);
const batch = bySeed(0.71, 0.74, 0.7);
const layer = bySeed(0.65, 0.65, 0.67);

describe('contrastsTo', () => {
  it('marks what is more than chance', () => {
    const [base, ...others] = contrastsTo([0, 0, 0, 0], [none, batch, layer, none]);
    expect(base).toBeUndefined();
    expect(others.map((contrast) => [contrast?.estimate.mean.toFixed(3), contrast?.p?.toFixed(4), contrast?.real])).toEqual([
      ['0.100', '0.0100', true],
      ['0.040', '0.1484', false],
      ['0.000', '1.0000', false],
    ]);
  });

  it('leaves those out that cannot be told', () => {
    const [one, , other] = contrastsTo([1, 1, 1], [batch, none, bySeed(0.5)]);
    expect(one?.p).toBeCloseTo(0.0033167587, 6);
    expect(other).toMatchObject({ p: undefined, real: false, estimate: { reason: 'one seed: an interval needs 3' } });
  });
});

describe('contrastsTo several bases', () => {
  it('takes each from its own', () => {
    const found = contrastsTo([0, 1, 0, 1], [none, batch, layer, layer]);
    expect(found.map((contrast) => contrast?.estimate.mean.toFixed(3))).toEqual([undefined, undefined, '0.040', '-0.060']);
  });
});

describe('contrastsOfPairs', () => {
  it('is antisymmetric', () => {
    const table = contrastsOfPairs([none, batch, layer]);
    expect(table.map((row) => row.map((contrast) => contrast?.estimate.mean.toFixed(3)))).toEqual([
      [undefined, '-0.100', '-0.040'],
      ['0.100', undefined, '0.060'],
      ['0.040', '-0.060', undefined],
    ]);
    expect(table[0]?.[1]?.p).toBe(table[1]?.[0]?.p);
    expect(table[0]?.[1]?.estimate.interval?.low).toBe(-(table[1]?.[0]?.estimate.interval?.high ?? NaN));
    // Three differences are looked at, so the smallest p counts three times.
    expect(table[1]?.[0]?.p).toBeCloseTo(3 * 0.0033167587, 6);
  });
});
