// Which pictures a study's variants call for.
import { describe, expect, it } from 'vitest';
import { estimateOf } from '../analysis/summary.ts';
import type { Variant } from '../analysis/summary.ts';
import type { Json } from '../run/stage.ts';
import { formatValues } from '../terminal/format.ts';
import { drawPictures } from './pictures.ts';

/** All combinations; accuracy falls with every index. */
function grid(variables: Readonly<Record<string, readonly Json[]>>): Variant[] {
  let all: { values: Record<string, Json>; sum: number }[] = [{ values: {}, sum: 0 }];
  for (const [name, values] of Object.entries(variables)) {
    all = all.flatMap((start) => values.map((value, index) => ({ values: { ...start.values, [name]: value }, sum: start.sum + index })));
  }
  return all.map(({ values, sum }) => ({
    name: formatValues(values),
    values,
    runs: [],
    estimates: new Map([['test.accuracy', estimateOf('test.accuracy', [0, 1, 2].map((seed) => 0.9 - 0.1 * sum + 0.01 * seed))]]),
    seconds: 1,
  }));
}

const pictures = (variables: Readonly<Record<string, readonly Json[]>>) => drawPictures(grid(variables), { metrics: ['test.accuracy'], preferred: new Set() });
const files = (variables: Readonly<Record<string, readonly Json[]>>) => pictures(variables).map(({ file }) => file);

describe('drawPictures', () => {
  it('draws variants of one kind with their intervals', () => {
    expect(files({ norm: ['none', 'batch'] })).toEqual(['test.accuracy.svg']);
    expect(files({})).toEqual([]);
  });

  it('draws lines over a numeric variable, and a map of two variables', () => {
    const found = pictures({ norm: ['none', 'batch'], batch: [2, 8, 32] });
    expect(found.map(({ file }) => file)).toEqual(['test.accuracy.svg', 'test.accuracy.batch.svg', 'test.accuracy.map.svg']);
    expect(found[1]).toMatchObject({ caption: 'test.accuracy over batch: mean over seeds, 95 % band' });
    expect(found[1]?.svg).toContain('norm=none');
  });

  it('draws a map for each combination of what is no number', () => {
    const variables = { norm: ['none', { name: 'batch', eps: 0.1 }], scale: [1, 3], lr: [0.1, 0.3, 1] };
    expect(files(variables)).toEqual([
      'test.accuracy.svg',
      'test.accuracy.lr.svg',
      'test.accuracy.norm-none.map.svg',
      'test.accuracy.norm-name-batch-eps-0.1.map.svg',
    ]);
    expect(pictures(variables)[2]?.svg).toContain('test.accuracy, norm=none (%)');
    expect(pictures(variables)[2]?.caption).toBe('test.accuracy by scale and lr, norm=none: mean over seeds');
  });

  it('draws no map of combinations that were not all run', () => {
    const some = grid({ steps: [1, 2], parts: [1, 2] }).slice(1);
    expect(drawPictures(some, { metrics: ['test.accuracy'], preferred: new Set() }).map(({ file }) => file)).toEqual(['test.accuracy.svg']);
  });

  it('leaves out what cannot be read, and numbers that are not there', () => {
    const many = Array.from({ length: 45 }, (_, index) => `a${index}`);
    expect(files({ norm: many })).toEqual([]);
    const [first, ...rest] = grid({ norm: ['none', 'batch', 'layer'] });
    const broken = [...(first === undefined ? [] : [{ ...first, estimates: new Map([['test.accuracy', estimateOf('test.accuracy', [NaN])]]) }]), ...rest];
    const [picture] = drawPictures(broken, { metrics: ['test.accuracy', 'test.absent'], preferred: new Set() });
    expect(picture?.svg).not.toContain('norm=none');
    expect(picture?.svg).toContain('norm=layer');
    expect(picture?.svg).not.toContain('NaN');
  });
});
