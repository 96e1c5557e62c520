// The table of several runs, as a snapshot.
import { expect, it } from 'vitest';
import type { Row } from './row.ts';
import { merged, tableOf } from './table.ts';

const row = (threads: number, milliseconds: number, torch?: number): Row => ({
  workload: 'W1',
  case: 'NN-512',
  backend: 'native',
  threads,
  median_ms: milliseconds,
  value: 268.435456 / milliseconds,
  unit: 'GFLOP/s',
  error: 3e-7 * milliseconds,
  peers: torch === undefined ? [] : [{ name: 'torch', median_ms: torch, ratio: torch / milliseconds }],
});

it('takes the best run, the median of the ratios of single runs, and the largest error', () => {
  const [only, ...others] = merged([row(1, 4, 2), row(1, 2, 6), row(1, 3, 3), row(1, 1)]);
  expect(others).toEqual([]);
  expect(only).toMatchObject({ median_ms: 1, peers: [{ name: 'torch', median_ms: 3, ratio: 1 }] });
  expect(only?.error).toBeCloseTo(12e-7, 12);
});

it('has a line a case', () => {
  const other: Row = { ...row(1, 0.05), workload: 'W6', case: 'train', unit: 'images/s', value: 12345.6 };
  expect(tableOf([row(1, 2, 3), row(2, 1, 2), other])).toMatchInlineSnapshot(`
    "| workload | one thread | two threads | gain | error | torch |
    | --- | --- | --- | --- | --- | --- |
    | W1 \`NN-512\` | 134 GFLOP/s | 268 GFLOP/s | 2.00× | 6.0e-7 | 1.50× / 2.00× |
    | W6 \`train\` | 12,346 images/s | – | – | 1.5e-8 | – |"
  `);
});
