// Running a study: which of its jobs are left, and who runs them.
import type { Registry } from '@athanor/core/plugin';
import { removeLeftovers } from './files.ts';
import { JobHost } from './host.ts';
import { runJobOn } from './job.ts';
import { lockFolder } from './lock.ts';
import type { Observer } from './observer.ts';
import type { Study } from './study.ts';

export interface RunOptions {
  readonly registry: Registry;
  readonly packages: Readonly<Record<string, string>>;
  readonly observer: Observer;
  readonly dataDir?: string | undefined;
  /** Whether this process is the lab's alone: backends may then set flags of the JavaScript engine. */
  readonly ownsProcess?: boolean;
}

/** Runs what is left of a study. A run that another process holds is a UserError. */
export async function runStudy(study: Study, options: RunOptions): Promise<void> {
  const { runs, folder } = study;
  const unlock = lockFolder(folder);
  const host = new JobHost(options);
  try {
    removeLeftovers(folder);
    for (const [index, run] of runs.entries()) {
      options.observer.runStarted(run, { index, of: runs.length });
      await runJobOn(host, run, options.observer);
      options.observer.runDone(run);
    }
  } finally {
    await host.dispose();
    unlock();
  }
}
