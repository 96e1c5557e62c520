// The table's lines, the machine's limits, and JSON rows.
import { describe, expect, it } from 'vitest';
import { calibrate } from '@athanor/lab';
import { ofLimit, tableHead, tableLine } from './report.ts';
import type { Row } from './row.ts';

const limits = { gigaflops: 60, gigabytes: 40 };
const row: Row = {
  workload: 'W1',
  case: 'NN-512',
  backend: 'wasm',
  threads: 2,
  median_ms: 4.5678,
  value: 58.77,
  unit: 'GFLOP/s',
  error: 3.21e-7,
  peers: [
    { name: 'tfjs-wasm', median_ms: 6.1, ratio: 1.3354 },
    { name: 'torch', median_ms: 1.14, ratio: 0.2496 },
  ],
};

describe('the table', () => {
  it('has a head and lines', () => {
    expect(`\n${tableHead(limits)}\n${tableLine(row, limits)}\n`).toMatchInlineSnapshot(`
      "
      This machine, one thread, 128-bit vectors: 60 GFLOP/s; memory: 40 GB/s read and written.

      workload  case                    backend    threads  ms          value                of limit  error     peers (ms, how many times faster we are)
      W1        NN-512                  wasm       2        4.57        58.8 GFLOP/s         49 %      3.2e-7    tfjs-wasm 6.10 (1.34×), torch 1.14 (0.25×)
      "
    `);
  });
});

describe('ofLimit', () => {
  it('counts threads for arithmetic and leaves out what has no known limit', () => {
    expect(ofLimit(row, limits)).toBeCloseTo(58.77 / 120, 12);
    expect(ofLimit({ ...row, unit: 'GB/s', threads: 1, value: 10 }, limits)).toBeCloseTo(0.25, 12);
    expect(ofLimit({ ...row, unit: 'GB/s' }, limits)).toBeUndefined();
    expect(ofLimit({ ...row, unit: 'ms' }, limits)).toBeUndefined();
    expect(ofLimit({ ...row, backend: 'native' }, limits)).toBeUndefined();
  });
});

describe('calibrate', () => {
  it('measures something that a computer of this century can do', () => {
    const { gigaflops, gigabytes } = calibrate(0.05);
    expect(gigaflops).toBeGreaterThan(1);
    expect(gigaflops).toBeLessThan(2000);
    expect(gigabytes).toBeGreaterThan(0.1);
    expect(gigabytes).toBeLessThan(2000);
  });
});
