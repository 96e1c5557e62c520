// The metric log: what is read back after a cut, and that its bytes do not depend on interruptions.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MetricLog, readMetrics } from './metrics.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const row = (step: number, value = step / 3) => ({ step, metric: step % 2 === 0 ? 'train.loss' : 'länge', value });

/** Writes rows 0 … 99, a flush every 10; returns the bytes, and the offset after row 40. */
function unbroken(name: string): { bytes: Buffer; offset: number } {
  const path = join(folder, name);
  const log = new MetricLog(path, 0, { batchRows: 4 });
  let offset = 0;
  for (let step = 0; step < 100; step++) {
    log.add([row(step)]);
    if (step % 10 === 9) {
      const end = log.flush();
      if (step === 39) offset = end;
    }
  }
  log.close();
  return { bytes: readFileSync(path), offset };
}

describe('MetricLog', () => {
  it('writes an Arrow stream that other readers understand', () => {
    const { bytes } = unbroken('plain.arrow');
    const table = tableFromIPC(bytes);
    expect(table.numRows).toBe(100);
    expect(String(table.schema)).toBe('Schema<{ 0: step: Int32, 1: metric: Utf8, 2: value: Float64 }>');
  });

  it('reads rows back exactly, also what is no number', () => {
    const path = join(folder, 'odd.arrow');
    const log = new MetricLog(path, 0);
    const rows = [row(1, Number.NaN), row(2, -Infinity), row(3, -0), row(4, 5e-324)];
    log.add(rows);
    log.close();
    expect(readMetrics(path)).toEqual(rows);
  });

  it('keeps every whole batch wherever the file is cut', () => {
    const { bytes, offset } = unbroken('cut.arrow');
    const path = join(folder, 'cut.arrow');
    let last = 0;
    for (let length = 0; length < offset + 300; length += 37) {
      writeFileSync(path, bytes.subarray(0, length));
      const rows = readMetrics(path);
      expect(rows.length).toBeGreaterThanOrEqual(last);
      expect(rows).toEqual(Array.from({ length: rows.length }, (_, step) => row(step)));
      last = rows.length;
    }
    expect(last).toBeGreaterThanOrEqual(40);
  });

  it('goes on from an offset with the bytes of an unbroken log', () => {
    const { bytes, offset } = unbroken('resumed.arrow');
    const path = join(folder, 'resumed.arrow');
    writeFileSync(path, Buffer.concat([bytes.subarray(0, offset + 77), Buffer.from('half a batch')]));
    const log = new MetricLog(path, offset, { batchRows: 4 });
    for (let step = 40; step < 100; step++) {
      log.add([row(step)]);
      if (step % 10 === 9) log.flush();
    }
    log.close();
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('reads nothing from a file that is not there', () => {
    expect(readMetrics(join(folder, 'absent.arrow'))).toEqual([]);
  });
});
