// Curves: bands, means and thinning give the numbers that their definitions say.
import { describe, expect, it } from 'vitest';
import { bandOf, smooth, spread, thin } from './curves.ts';
import { differences } from './difference.ts';

const curve = (...values: number[]) => values.map((value, step) => ({ step, value }));

describe('bandOf', () => {
  it('has mean, least and greatest at every step that any curve has', () => {
    const band = bandOf([curve(1, 2), curve(3, 6, 5)]);
    expect(band).toEqual([
      { step: 0, value: 2, low: 1, high: 3 },
      { step: 1, value: 4, low: 2, high: 6 },
      { step: 2, value: 5, low: 5, high: 5 },
    ]);
  });
});

describe('smooth', () => {
  it('is the mean of the neighbours, of fewer at the ends', () => {
    expect(smooth(curve(0, 3, 6, 0, 9), 0.4).map(({ value }) => value)).toEqual([1.5, 3, 3, 5, 4.5]);
  });

  it('leaves out what is not finite, and changes nothing at 0', () => {
    expect(smooth(curve(1, NaN, 3), 0.7).map(({ value }) => value)).toEqual([1, 2, 3]);
    expect(smooth(curve(1, 5), 0)).toEqual(curve(1, 5));
  });

  it('is not spoilt by a huge value that has left the window', () => {
    expect(smooth(curve(1, 1e30, 1, 2, 3, 4), 0.34).map(({ value }) => value).slice(3)).toEqual([2, 3, 3.5]);
  });
});

describe('thin', () => {
  const long = curve(...Array.from({ length: 10_000 }, (_, step) => (step === 777 ? 50 : step === 5123 ? -50 : Math.sin(step / 100))));

  it('keeps ends and spikes, in order', () => {
    const kept = thin(long, 200);
    expect(kept.length).toBeLessThanOrEqual(200);
    expect(kept[0]).toEqual(long[0]);
    expect(kept.at(-1)).toEqual(long.at(-1));
    expect(kept).toContainEqual({ step: 777, value: 50 });
    expect(kept).toContainEqual({ step: 5123, value: -50 });
    expect(kept.map(({ step }) => step)).toEqual(kept.map(({ step }) => step).toSorted((a, b) => a - b));
  });

  it('leaves short curves as they are', () => {
    expect(thin(long.slice(0, 200), 200)).toEqual(long.slice(0, 200));
  });
});

describe('spread', () => {
  it('takes the first, the last and what lies evenly between', () => {
    const list = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect([spread(list, 4), spread(list, 1), spread(list, 20)]).toEqual([[0, 3, 6, 9], [0], list]);
  });
});

describe('differences', () => {
  it('names every place with the values of each', () => {
    const configs = [{ seed: 0, stages: [{ lr: 1, norm: 'batch' }] }, { seed: 0, stages: [{ lr: 2, norm: { name: 'group', groups: 4 } }] }];
    expect(differences(configs)).toEqual([
      { path: 'stages.0.lr', values: [1, 2] },
      { path: 'stages.0.norm', values: ['batch', undefined] },
      { path: 'stages.0.norm.name', values: [undefined, 'group'] },
      { path: 'stages.0.norm.groups', values: [undefined, 4] },
    ]);
    expect(differences([configs[0], configs[0]])).toEqual([]);
  });
});
