// What a study found: each variant's final numbers over its seeds, with intervals.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readMetrics } from '../run/metrics.ts';
import { readResult } from '../run/results.ts';
import { stageFolder } from '../run/study.ts';
import type { Run, Study } from '../run/study.ts';
import { formatValues } from '../terminal/format.ts';
import { mean, studentInterval, wilsonInterval } from './statistics.ts';
import type { Interval } from './statistics.ts';

/** A number over the seeds of a variant. */
export interface Estimate {
  readonly mean: number;
  readonly values: readonly number[];
  /** 95 %: over seeds by Student's t, or for one run's share of samples by Wilson. */
  readonly interval: Interval | undefined;
  readonly method: 'student' | 'wilson' | 'none';
}

/** All runs that differ by their seed alone. */
export interface Variant {
  readonly name: string;
  readonly values: Run['values'];
  readonly runs: readonly Run[];
  /** Metric → estimate, of the runs that are done. */
  readonly estimates: ReadonlyMap<string, Estimate>;
  /** Seconds of work, all attempts of all runs together. */
  readonly seconds: number;
}

/** The study's variants in the order of the sweep. */
export function summarize(study: Study): Variant[] {
  const groups = new Map<string, Run[]>();
  for (const run of study.runs) {
    const name = formatValues(run.values);
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  return [...groups].map(([name, runs]) => ({
    name: name === '' ? study.record.name : name,
    values: runs[0]?.values ?? {},
    runs,
    estimates: estimate(runs.map(finalNumbers)),
    seconds: runs.reduce((sum, run) => sum + secondsOf(run), 0),
  }));
}

/** The final numbers of all finished stages of a run; a later stage's win. What was not finite is NaN. */
export function finalNumbers(run: Run): Readonly<Record<string, number>> {
  const records = run.config.stages.map((_, index) => readResult(stageFolder(run, index))?.summary ?? {});
  const numbers = Object.assign({}, ...records) as Record<string, number | null>;
  return Object.fromEntries(Object.entries(numbers).map(([metric, value]) => [metric, value ?? NaN]));
}

/** Seconds that all attempts at a run's stages took. */
export function secondsOf(run: Run): number {
  let total = 0;
  for (const [index] of run.config.stages.entries()) {
    const folder = stageFolder(run, index);
    for (const name of filesIn(folder).filter((file) => file.startsWith('timing-'))) {
      total += readMetrics(join(folder, name)).at(-1)?.value ?? 0;
    }
  }
  return total;
}

function estimate(numbers: readonly Readonly<Record<string, number>>[]): Map<string, Estimate> {
  const names = [...new Set(numbers.flatMap((summary) => Object.keys(summary)))].filter((name) => !name.endsWith('.samples'));
  return new Map(
    names.map((name) => {
      const values = numbers.map((summary) => summary[name]).filter((value) => value !== undefined);
      const samples = numbers[0]?.[name.replace(/[^.]+$/, 'samples')];
      return [name, estimateOf(name, values, samples)];
    }),
  );
}

/** A metric's estimate from its values over seeds; `samples` is what a share is of, if that is known. */
export function estimateOf(metric: string, values: readonly number[], samples?: number): Estimate {
  return { mean: mean(values), values, ...intervalOf(metric, values, samples) };
}

function intervalOf(name: string, values: readonly number[], samples: number | undefined): Pick<Estimate, 'interval' | 'method'> {
  const student = studentInterval(values);
  if (student !== undefined) return { interval: student, method: 'student' };
  const [only] = values;
  if (values.length === 1 && name.endsWith('.accuracy') && samples !== undefined && only !== undefined) {
    return { interval: wilsonInterval(only, samples), method: 'wilson' };
  }
  return { interval: undefined, method: 'none' };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
