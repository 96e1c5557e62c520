// What `athanor run` and `athanor resume` share: work on a study until it is done, then say what came out.
import { relative } from 'node:path';
import type { Registry } from '@athanor/core/plugin';
import { summarize } from '../analysis/summary.ts';
import { chooseExecutor } from '../executors/choose.ts';
import type { ExecutorWords } from '../executors/choose.ts';
import { RunsFailed } from '../executors/failures.ts';
import { computingPackages } from '../plugins/installed.ts';
import { writeReport } from '../report/write.ts';
import { runStudy } from '../run/runner.ts';
import { runStatus } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { Progress } from '../terminal/progress.ts';
import { summaryTable } from '../terminal/summary.ts';
import type { CommandContext } from './context.ts';

/** Runs what is left of a study, prints its table and writes its report. Returns the exit code. */
export async function work(study: Study, registry: Registry, context: CommandContext, words: ExecutorWords = {}): Promise<number> {
  const failed = await complete(study, registry, context, words).then(
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
export async function complete(study: Study, registry: Registry, context: CommandContext, words: ExecutorWords = {}): Promise<boolean> {
  const left = study.runs.filter((run) => runStatus(run) !== 'done').length;
  if (left > 0) {
    const host = { registry, packages: computingPackages(process.cwd()), dataDir: context.dataDir, ownsProcess: context.ownsProcess };
    const executor = await chooseExecutor(words, { host, runs: context.runs, study: study.folder, jobs: left });
    await runStudy(study, { ...host, executor, observer: new Progress(context.progress) });
  }
  return left > 0;
}

/** A path as a person would type it here. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
