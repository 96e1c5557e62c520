// Stages of a study that other code has computed than there is now: found, and taken away so that they run again.
import { runAgain } from './job.ts';
import { stageStandings } from './stage-state.ts';
import type { StageContext } from './stage-state.ts';
import type { Run, Study } from './study.ts';

export interface StaleStage {
  readonly run: Run;
  readonly index: number;
  readonly name: string;
  /** What changed, in words. */
  readonly changes: readonly string[];
}

/** Every stage that has an outcome, or a part of one, which does not come from the code that there is. */
export function staleStages({ runs }: Study, context: StageContext): StaleStage[] {
  return runs.flatMap((run) =>
    stageStandings(run, context).flatMap(({ name, state, changes }, index) => (state === 'stale' ? [{ run, index, name, changes }] : [])),
  );
}

/** Takes the outcome of these stages away. What needs them runs again only if they come out differently. */
export function dropStages(stages: readonly StaleStage[]): void {
  for (const { run, index, changes } of stages) runAgain(run, index, changes);
}

/** One line for each stage and reason: `student of 12 runs: the code of ./plugin.ts changed`. */
export function describeStale(stages: readonly StaleStage[]): string[] {
  const groups = new Map<string, number>();
  for (const { name, changes } of stages) {
    const key = JSON.stringify([name, changes.join('; ')]);
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return [...groups].map(([key, count]) => {
    const [name = '', why = ''] = JSON.parse(key) as string[];
    return `${name}${count === 1 ? '' : ` of ${count} runs`}: ${why}`;
  });
}
