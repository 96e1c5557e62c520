// The numbers that claims are judged by: each variant's final ones, by seed.
import { readResult } from '../run/results.ts';
import { stageFolder, stageNames } from '../run/study.ts';
import type { Run, Study } from '../run/study.ts';
import { formatValues } from '../terminal/format.ts';
import type { Selectable } from './select.ts';

/** A variant with the final numbers of its runs; a run that is not done has none. */
export interface MeasuredVariant extends Selectable {
  readonly name: string;
  /** Seed → metric → value. A number that was not finite is NaN. */
  readonly numbers: ReadonlyMap<number, ReadonlyMap<string, number> | undefined>;
}

/** The variants of a study, in the order of its sweep. */
export function measureVariants(study: Study): MeasuredVariant[] {
  const groups = new Map<string, Run[]>();
  for (const run of study.runs) {
    const name = formatValues(run.values);
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  return [...groups].map(([name, runs]) => ({
    name: name === '' ? study.record.name : name,
    values: runs[0]?.values ?? {},
    numbers: new Map(runs.map((run) => [run.config.seed, numbersOf(run)])),
  }));
}

/** A run's final numbers as `metric`, the last stage's that has it, and as `stage/metric`; undefined while a stage is not done. */
export function numbersOf(run: Run): ReadonlyMap<string, number> | undefined {
  const numbers = new Map<string, number>();
  for (const [index, stage] of stageNames(run).entries()) {
    const record = readResult(stageFolder(run, index));
    if (record === undefined) return undefined;
    for (const [metric, value] of Object.entries(record.summary as Record<string, number | null>)) {
      numbers.set(metric, value ?? NaN);
      numbers.set(`${stage}/${metric}`, value ?? NaN);
    }
  }
  return numbers;
}
