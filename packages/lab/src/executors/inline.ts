// The executor that runs jobs in this process, one after the other: for one job, and for looking into one with a debugger.
import { JobHost } from '../run/host.ts';
import type { HostOptions } from '../run/host.ts';
import { runJobOn } from '../run/job.ts';
import { openRun } from '../run/study.ts';
import { observerOf } from './events.ts';
import { failureOf } from './failures.ts';
import type { Executor, JobFailure, JobOutcome } from './executor.ts';

/** Runs jobs in this process. */
export function inlineExecutor(options: HostOptions): Executor {
  return {
    name: 'inline',
    async run(folders, tell) {
      const host = new JobHost(options);
      const outcomes: JobOutcome[] = [];
      try {
        for (const folder of folders) {
          tell(folder, { kind: 'started' });
          const observer = observerOf((event) => tell(folder, event), { every: 0 });
          const failure = await attempt(() => runJobOn(host, openRun(folder), observer));
          tell(folder, { kind: 'ended', failed: failure !== undefined });
          outcomes.push({ folder, ...(failure === undefined ? {} : { failure }) });
        }
      } finally {
        await host.dispose();
      }
      return outcomes;
    },
  };
}

async function attempt(work: () => Promise<void>): Promise<JobFailure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}
