// What `athanor run` and `athanor resume` share: work on a study until it is done, then say what came out.
import { relative } from 'node:path';
import type { Registry } from '@athanor/core/plugin';
import { summarize } from '../analysis/summary.ts';
import { chooseExecutor } from '../executors/choose.ts';
import type { ExecutorWords } from '../executors/choose.ts';
import { RunsFailed } from '../executors/failures.ts';
import { computingPackages } from '../plugins/installed.ts';
import { writeReport } from '../report/write.ts';
import { isLocked } from '../run/lock.ts';
import { describeStale, dropStages, staleStages } from '../run/refresh.ts';
import { runStudy } from '../run/runner.ts';
import { pluginCode } from '../run/stage-state.ts';
import { runStatus } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { Progress } from '../terminal/progress.ts';
import { summaryTable } from '../terminal/summary.ts';
import type { CommandContext } from './context.ts';

/** What happens to stages that other code has computed than there is now: they run again, or it is told that they are kept. */
export type OnStale = 'rerun' | 'tell';

/** Runs what is left of a study, prints its table and writes its report. Returns the exit code. */
export async function work(study: Study, registry: Registry, context: CommandContext, words: ExecutorWords = {}, stale: OnStale = 'tell'): Promise<number> {
  const failed = await complete(study, registry, context, words, stale).then(
    (ran) => {
      if (!ran) context.out(`${shown(study.folder)} is done already: nothing to run (--fresh runs it anew)`);
    },
    (error: unknown) => {
      if (error instanceof RunsFailed) return error;
      throw error;
    },
  );
  context.out(`\n${summaryTable(summarize(study))}\n`);
  context.out(`Report: ${shown(writeReport(study))}`);
  if (failed !== undefined) context.progress.write(`\n${failed.message}\nthe same command tries them again\n`);
  return failed?.exitCode ?? 0;
}

/** Runs what is left of a study; false if nothing was. Throws a {@link RunsFailed} when some of its runs have failed. */
export async function complete(study: Study, registry: Registry, context: CommandContext, words: ExecutorWords = {}, stale: OnStale = 'tell'): Promise<boolean> {
  await settleStale(study, registry, context, stale);
  const before = study.runs.map(runStatus);
  const left = before.filter((status) => status !== 'done' && status !== 'stopped').length;
  // Where all runs stand at a rung, some may go on.
  if (left > 0 || before.includes('stopped')) {
    const host = { registry, packages: computingPackages(process.cwd()), dataDir: context.dataDir, ownsProcess: context.ownsProcess };
    const executor = await chooseExecutor(words, { host, runs: context.runs, study: study.folder, jobs: Math.max(1, left) });
    await runStudy(study, { ...host, executor, observer: new Progress(context.progress) });
  }
  return left > 0 || before.some((status, index) => study.runs[index] !== undefined && runStatus(study.runs[index]) !== status);
}

async function settleStale(study: Study, registry: Registry, { progress, dataDir }: CommandContext, onStale: OnStale): Promise<void> {
  // Another process is at it: it is not for us to take anything away.
  if (isLocked(study.folder)) return;
  const stale = staleStages(study, { registry, packages: computingPackages(process.cwd()), code: await pluginCode(study.record), dataDir });
  if (onStale === 'rerun') dropStages(stale);
  for (const line of describeStale(stale)) progress.write(`${onStale === 'rerun' ? 'runs again' : 'kept, though it is of other code'}: ${line}\n`);
}

/** A path as a person would type it here. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
