// Following a log: whatever the moments of reading, the rows are those of the whole log, once each.
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetricLog, readMetrics } from '../run/metrics.ts';
import type { MetricRow } from '../run/metrics.ts';
import { MetricTail } from './tail.ts';
import type { TailRead } from './tail.ts';

let folder = '';
let whole = '';
let growing = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  whole = join(folder, 'whole.arrow');
  growing = join(folder, 'growing.arrow');
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeLog(path: string, count: number, batchRows = 7, scale = 1): void {
  const log = new MetricLog(path, 0, { batchRows });
  for (let step = 1; step <= count; step++) log.add([{ step, metric: step % 3 === 0 ? 'test.größe' : 'train.loss', value: step === 5 ? NaN : scale / step }]);
  log.close();
}

function rowsOf({ batches }: TailRead): MetricRow[] {
  return batches.flatMap(({ steps, metrics, values }) => metrics.map((metric, row) => ({ step: steps[row] ?? -1, metric, value: values[row] ?? -1 })));
}

describe('MetricTail', () => {
  it('reads any growing log to the same rows, whatever was there at each read', () => {
    writeLog(whole, 100);
    const bytes = readFileSync(whole);
    for (const chunk of [1, 13, 500, 4096]) {
      writeFileSync(growing, '');
      const tail = new MetricTail(growing);
      const reads: TailRead[] = [];
      for (let at = 0; at < bytes.length; at += chunk) {
        appendFileSync(growing, bytes.subarray(at, at + chunk));
        if (chunk > 1 || at % 97 === 0 || at + chunk >= bytes.length) reads.push(tail.read());
      }
      expect(reads.some(({ anew }) => anew)).toBe(false);
      expect(reads.flatMap(rowsOf)).toEqual(readMetrics(whole));
    }
    expect(readMetrics(whole)).toHaveLength(100);
  });

  it('reads nothing twice, and nothing of a log that is not there', () => {
    const tail = new MetricTail(whole);
    expect(tail.read()).toEqual({ anew: false, batches: [] });
    writeLog(whole, 10);
    expect(rowsOf(tail.read())).toHaveLength(10);
    expect(tail.read()).toEqual({ anew: false, batches: [] });
  });

  it('begins anew with a log that was cut back, replaced or taken away', () => {
    writeLog(whole, 50);
    const tail = new MetricTail(whole);
    tail.read();
    truncateSync(whole, Math.floor(readFileSync(whole).length / 2));
    const cut = tail.read();
    expect([cut.anew, rowsOf(cut).length < 50]).toEqual([true, true]);
    writeLog(growing, 60, 7, 2);
    renameSync(growing, whole);
    const replaced = tail.read();
    expect([replaced.anew, rowsOf(replaced)]).toEqual([true, readMetrics(whole)]);
    rmSync(whole);
    expect(tail.read()).toEqual({ anew: true, batches: [] });
  });

  it('begins anew with a log that was cut back and has grown again in other batches', () => {
    writeLog(whole, 50, 7);
    const tail = new MetricTail(whole);
    tail.read();
    writeLog(growing, 80, 10);
    truncateSync(whole, 0);
    appendFileSync(whole, readFileSync(growing));
    const read = tail.read();
    expect([read.anew, rowsOf(read)]).toEqual([true, readMetrics(growing)]);
  });

  it('is not led astray by what is no log', () => {
    writeFileSync(whole, 'this is not an Arrow stream, but it is long enough for a header');
    expect(new MetricTail(whole).read()).toEqual({ anew: false, batches: [] });
  });
});
