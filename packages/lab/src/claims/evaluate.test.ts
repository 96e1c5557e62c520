// Verdicts on written-out numbers: where the interval lies, and what is said when there is none.
import { describe, expect, it } from 'vitest';
import { judgeClaims } from './evaluate.ts';
import type { Judgement } from './evaluate.ts';
import type { MeasuredVariant } from './measure.ts';
import { claimSchema } from './schema.ts';

/** Accuracies by norm; the loss is one minus them. */
function variants(table: Readonly<Record<string, readonly (number | undefined)[]>>): MeasuredVariant[] {
  return Object.entries(table).map(([norm, values]) => ({
    name: `norm=${norm}`,
    values: { norm },
    numbers: new Map(values.map((value, seed) => [seed, value === undefined ? undefined : new Map([['accuracy', value], ['loss', 1 - value], ['train/accuracy', value]])])),
  }));
}

const four = variants({ batch: [0.71, 0.74, 0.7], none: [0.61, 0.63, 0.61], layer: [0.65, 0.66, 0.67], group: [0.71, 0.73, 0.69] });

function judge(expectation: object, measured = four): Judgement {
  const [judgement] = judgeClaims([claimSchema.parse({ says: 'so', expect: { metric: 'accuracy', ...expectation } })], measured);
  if (judgement === undefined) throw new Error('no judgement');
  return judgement;
}

const verdict = (expectation: object, measured = four) => judge(expectation, measured).verdict;
const batch = { norm: 'batch' };
const none = { norm: 'none' };
const layer = { norm: 'layer' };
const group = { norm: 'group' };

describe('higher and lower', () => {
  // batch − none: 0.10, 0.11, 0.09: mean 0.1, standard deviation 0.01, half of the interval 4.30265·0.01/√3 = 0.024842.
  it('hold, fail or are undecided by where the interval of the difference lies', () => {
    const { estimate, quantity, expected, sides } = judge({ higher: batch, than: none, by: 0.05 });
    expect(estimate).toMatchObject({ n: 3, method: 'paired t' });
    expect(estimate?.mean).toBeCloseTo(0.1, 12);
    expect(estimate?.interval?.low).toBeCloseTo(0.075158, 5);
    expect(estimate?.interval?.high).toBeCloseTo(0.124842, 5);
    expect({ quantity, expected }).toEqual({ quantity: 'accuracy: norm=batch − norm=none', expected: '> 0.05' });
    expect(sides.map(({ name, values }) => [name, ...values.values()])).toEqual([['norm=batch', 0.71, 0.74, 0.7], ['norm=none', 0.61, 0.63, 0.61]]);
    expect(verdict({ higher: batch, than: none, by: 0.075 })).toBe('holds');
    expect(verdict({ higher: batch, than: none, by: 0.0752 })).toBe('undecided');
    expect(verdict({ higher: batch, than: none, by: 0.1248 })).toBe('undecided');
    expect(verdict({ higher: batch, than: none, by: 0.125 })).toBe('fails');
    expect(verdict({ lower: none, than: batch, by: 0.075 })).toBe('holds');
    expect(verdict({ lower: none, than: batch, by: 0.1 })).toBe('undecided');
    expect(verdict({ lower: batch, than: none })).toBe('fails');
    expect(judge({ lower: none, than: batch, by: 0.075 }).expected).toBe('< -0.075');
    expect(verdict({ higher: batch, than: layer })).toBe('undecided');
  });

  it('fail for values that are the same', () => {
    expect(verdict({ higher: batch, than: batch })).toBe('fails');
  });
});

describe('of', () => {
  // batch: mean 0.716667, standard deviation 0.020817, half of the interval 0.051711.
  it('is about a mean', () => {
    expect(verdict({ of: batch, atLeast: 0.66 })).toBe('holds');
    expect(verdict({ of: batch, atLeast: 0.67 })).toBe('undecided');
    expect(verdict({ of: batch, atLeast: 0.77 })).toBe('fails');
    expect(verdict({ of: batch, atMost: 0.77 })).toBe('holds');
    expect(verdict({ of: batch, atLeast: 0.66, atMost: 0.77 })).toBe('holds');
    expect(verdict({ of: batch, atLeast: 0.66, atMost: 0.72 })).toBe('undecided');
    expect(judge({ of: batch, atLeast: 0.66, atMost: 0.77 })).toMatchObject({ quantity: 'accuracy: norm=batch', expected: '0.66 … 0.77', estimate: { method: 'one-sample t' } });
  });
});

describe('equal', () => {
  // batch − group: 0, 0.01, 0.01: mean 0.006667, half of the interval 0.014342.
  it('needs the whole interval within', () => {
    expect(verdict({ equal: batch, to: group, within: 0.022 })).toBe('holds');
    expect(verdict({ equal: batch, to: group, within: 0.02 })).toBe('undecided');
    expect(verdict({ equal: batch, to: none, within: 0.075 })).toBe('fails');
    expect(judge({ equal: batch, to: group, within: 0.022 }).expected).toBe('within ±0.022');
  });
});

describe('ratio', () => {
  // log(batch/none): 0.151806, 0.160930, 0.137621: mean 0.150119, half of the interval 0.029178 (SciPy).
  it('is of two values of a seed', () => {
    const { estimate, quantity } = judge({ ratio: batch, to: none, atLeast: 1.1 });
    expect(estimate?.mean).toBeCloseTo(1.16197280, 7);
    expect(estimate?.interval?.low).toBeCloseTo(1.12855872, 7);
    expect(estimate?.interval?.high).toBeCloseTo(1.19637620, 7);
    expect(quantity).toBe('accuracy: norm=batch / norm=none');
    expect(verdict({ ratio: batch, to: none, atLeast: 1.12 })).toBe('holds');
    expect(verdict({ ratio: batch, to: none, atMost: 1.12 })).toBe('fails');
    expect(verdict({ ratio: batch, to: none, atMost: 1.17 })).toBe('undecided');
  });
});

describe('count', () => {
  it('counts variants by seed', () => {
    // Above 0.695: batch always, group but in seed 2.
    const { estimate, quantity, sides } = judge({ count: {}, above: 0.695, atLeast: 1 });
    expect(estimate?.mean).toBeCloseTo(5 / 3, 12);
    expect(quantity).toBe('variants with accuracy > 0.695: all');
    expect(sides).toHaveLength(4);
    expect(verdict({ count: {}, above: 0.645, atLeast: 3 })).toBe('holds');
    expect(verdict({ count: {}, above: 0.645, atLeast: 4 })).toBe('fails');
    expect(verdict({ count: {}, above: 0.695, atLeast: 2 })).toBe('undecided');
    expect(verdict({ count: {}, below: 0.645, atMost: 1 })).toBe('holds');
  });
});

describe('exact claims', () => {
  it('need one seed only, and every seed to agree', () => {
    const one = variants({ batch: [0.71], none: [0.61] });
    expect(judge({ of: batch, atLeast: 0.7, exact: true }, one)).toMatchObject({ verdict: 'holds', estimate: { method: 'exact', n: 1, interval: { low: 0.71, high: 0.71 } } });
    expect(verdict({ of: batch, atLeast: 0.7, exact: true })).toBe('holds');
    expect(verdict({ of: batch, atLeast: 0.71, exact: true })).toBe('fails');
    expect(verdict({ equal: batch, to: batch, within: 0, exact: true }, one)).toBe('holds');
    expect(verdict({ ratio: batch, to: none, atLeast: 1.2, exact: true }, one)).toBe('fails');
  });
});

describe('what cannot be judged is undecided, with the reason', () => {
  const reason = (expectation: object, measured = four) => judge(expectation, measured).reason;

  it.each([
    ['one seed', { of: batch, atLeast: 0 }, variants({ batch: [0.7] }), 'one seed: an interval needs 3'],
    ['a run without a result', { higher: batch, than: none }, variants({ batch: [0.7, 0.7], none: [0.6, undefined] }), 'norm=none has no result with seed 1'],
    ['a number that is not finite', { of: batch, atLeast: 0 }, variants({ batch: [0.7, NaN, 0.7] }), 'accuracy of norm=batch is not a finite number with seed 1'],
    ['another metric', { of: batch, atLeast: 0, metric: 'acuracy' }, four, 'norm=batch has no "acuracy" — did you mean "accuracy"?'],
    ['another variant', { of: { norm: 'batch', size: 3 }, atLeast: 0 }, four, 'the sweep has no variant norm=batch size=3'],
    ['several variants', { of: {}, atLeast: 0 }, four, 'the sweep has several variants'],
    ['a quotient by zero', { ratio: batch, to: none, atLeast: 1 }, variants({ batch: [1, 1, 1], none: [0, 1, 1] }), 'a quotient is judged of positive values only'],
    ['too few seeds for a bootstrap', { of: batch, atLeast: 0, interval: 'bootstrap' }, four, '3 seeds: an interval by bootstrap needs 6'],
  ])('%s', (_, expectation, measured, text) => {
    expect(verdict(expectation, measured)).toBe('undecided');
    expect(reason(expectation, measured)).toBe(text);
  });

  it('but a metric of a stage, other seeds and a bootstrap can be judged', () => {
    expect(verdict({ of: batch, atLeast: 0.66, metric: 'train/accuracy' })).toBe('holds');
    const [first, ...rest] = variants({ batch: [0.7, 0.71, 0.72, 0.7, 0.71, 0.72], none: [0.6, 0.61, 0.6, 0.61, 0.6, 0.61, 0.62] });
    const apart = first === undefined ? [] : [first, ...rest];
    expect(judge({ higher: batch, than: none, by: 0.09 }, apart)).toMatchObject({ verdict: 'holds', estimate: { method: 'Welch t', n: 6 } });
    expect(judge({ higher: batch, than: none, by: 0.09, interval: 'bootstrap' }, apart)).toMatchObject({ verdict: 'holds', estimate: { method: 'two-sample bootstrap' } });
  });
});
