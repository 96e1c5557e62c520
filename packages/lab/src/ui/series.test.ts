// Curves in memory: by metric and stage, and no more of them than there is room for.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder } from '../run/files.ts';
import { MetricLog } from '../run/metrics.ts';
import { SeriesStore } from './series.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function stage(name: string, rows: number) {
  const place = join(folder, name);
  makeFolder(place);
  const log = new MetricLog(join(place, 'metrics.arrow'), 0);
  for (let step = 1; step <= rows; step++) log.add([{ step, metric: 'loss', value: 1 / step }]);
  log.close();
  return { name, folder: place };
}

it('names metrics by their stage where there are several', () => {
  const run = new SeriesStore().open(1, [stage('teach', 200), stage('learn', 3)]);
  expect([...run.series].map(([metric, series]) => [metric, series.length])).toEqual([['teach/loss', 200], ['learn/loss', 3]]);
  expect([run.lastStep, run.rows]).toEqual([3, 203]);
  expect([...(run.series.get('learn/loss')?.values ?? [])]).toEqual([1, 1 / 2, 1 / 3]);
});

it('forgets what was not looked at for the longest time, and reads it again when asked', () => {
  const store = new SeriesStore({ limit: 250 });
  const stages = [1, 2, 3].map((id) => [stage(`run-${id}`, 100)]);
  const open = (id: number) => store.open(id, stages[id - 1] ?? []);
  const [first, second] = [open(1), open(2)];
  expect(open(1)).toBe(first);
  open(3);
  expect(open(1)).toBe(first);
  expect(open(2)).not.toBe(second);
  expect(open(2).rows).toBe(100);
  store.forget(2);
  expect(open(2).rows).toBe(100);
});
