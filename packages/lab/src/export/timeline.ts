// When what was logged: the wall time of each row of a run, for readers that want one.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readMetrics } from '../run/metrics.ts';
import { readEnvironments } from '../run/results.ts';
import type { Run } from '../run/study.ts';
import type { StageFolder } from '../report/curves.ts';

/**
 * A function from step to seconds since 1970. Attempts log seconds since they began a stage; they
 * are counted from the beginning of the attempt. A step without a time has that of the step before.
 */
export function wallTimes(run: Run, { folder }: StageFolder): (step: number) => number {
  const starts = readEnvironments(run).map(({ started }) => Date.parse(started) / 1000);
  const files = filesOf(folder).filter((name) => /^timing-\d+\.arrow$/.test(name)).toSorted((a, b) => attemptOf(a) - attemptOf(b));
  const times = new Map<number, number>();
  for (const [index, name] of files.entries()) {
    const start = starts[Math.max(0, starts.length - files.length) + index] ?? starts.at(-1) ?? 0;
    for (const { step, value } of readMetrics(join(folder, name))) times.set(step, start + value);
  }
  const known = [...times].toSorted(([a], [b]) => a - b);
  const first = starts[0] ?? 0;
  return (step) => times.get(step) ?? known.findLast(([before]) => before <= step)?.[1] ?? first;
}

function attemptOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
