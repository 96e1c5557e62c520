// What `athanor run` and `athanor resume` share: work on a study until it is done, then say what came out.
import { relative } from 'node:path';
import type { Registry } from '@athanor/core/plugin';
import { summarize } from '../analysis/summary.ts';
import { installedPackages } from '../plugins/installed.ts';
import { writeReport } from '../report/write.ts';
import { runStudy } from '../run/runner.ts';
import { runStatus } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { Progress } from '../terminal/progress.ts';
import { summaryTable } from '../terminal/summary.ts';
import type { CommandContext } from './context.ts';

/** Runs what is left of a study, prints its table and writes its report. */
export async function work(study: Study, registry: Registry, context: CommandContext): Promise<void> {
  const ran = await complete(study, registry, context);
  if (!ran) context.out(`${shown(study.folder)} is done already: nothing to run (--fresh runs it anew)`);
  context.out(`\n${summaryTable(summarize(study))}\n`);
  context.out(`Report: ${shown(writeReport(study))}`);
}

/** Runs what is left of a study; false if nothing was. */
export async function complete(study: Study, registry: Registry, context: CommandContext): Promise<boolean> {
  const left = study.runs.filter((run) => runStatus(run) !== 'done').length;
  if (left > 0) {
    const computing = installedPackages(process.cwd()).filter(({ name, plugin }) => plugin || name === '@athanor/core');
    const packages = Object.fromEntries(computing.map(({ name, version }) => [name, version]));
    await runStudy(study, { registry, packages, observer: new Progress(context.progress), dataDir: context.dataDir, ownsProcess: context.ownsProcess });
  }
  return left > 0;
}

/** A path as a person would type it here. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
