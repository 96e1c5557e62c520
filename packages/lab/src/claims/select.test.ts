// Selectors name variants by the values of their variables.
import { describe, expect, it } from 'vitest';
import { select, selectOne } from './select.ts';

const renorm = { name: 'batch-renorm', rmax: 3 };
const variants = [
  { values: { norm: 'batch', batch: 2 } },
  { values: { norm: 'batch', batch: 8 } },
  { values: { norm: renorm, batch: 2 } },
  { values: { norm: 'none' } },
  { values: { norm: 'none', batch: 4 } },
];

describe('select', () => {
  it('finds the variants that have all values', () => {
    expect(select(variants, { norm: 'batch' })).toEqual([variants[0], variants[1]]);
    expect(select(variants, { norm: 'batch', batch: 8 })).toEqual([variants[1]]);
    expect(select(variants, { batch: 16 })).toEqual([]);
    expect(select(variants, {})).toEqual(variants);
  });

  it('knows a component by its name, or by its whole config in any order', () => {
    expect(select(variants, { norm: 'batch-renorm' })).toEqual([variants[2]]);
    expect(select(variants, { norm: { rmax: 3, name: 'batch-renorm' } })).toEqual([variants[2]]);
    expect(select(variants, { norm: { name: 'batch-renorm' } })).toEqual([]);
  });

  it('names one: the only match, or the one that has nothing besides', () => {
    expect(selectOne(variants, { norm: 'batch', batch: 2 })).toBe(variants[0]);
    expect(selectOne(variants, { norm: 'none' })).toBe(variants[3]);
    expect(selectOne(variants, { norm: 'batch' })).toBeUndefined();
  });
});
