// `athanor worker`: does jobs for others: those of a queue on Redis, or one run that a scheduler has put on this machine.
import { availableParallelism } from 'node:os';
import { UserError } from '@athanor/core';
import { budgetOf, budgetOptions, defaultQueue } from '../executors/choose.ts';
import { shares } from '../executors/pool.ts';
import { serveQueue } from '../executors/queue-worker.ts';
import { computingPackages } from '../plugins/installed.ts';
import { runJob } from '../run/job.ts';
import { goneAfter } from '../run/lock.ts';
import { openRun } from '../run/study.ts';
import { Progress } from '../terminal/progress.ts';
import { defineCommand } from './command.ts';

/** Seconds that a job waits for a process that still holds its folder: one of a machine that may be gone. */
const patience = goneAfter + 60;

export const worker = defineCommand({
  usage: 'worker',
  summary: 'do jobs for others, of a queue or one by its folder',
  options: {
    queue: { type: 'string', describe: `the Redis whose jobs to do (default: ${defaultQueue})` },
    job: { type: 'string', describe: 'do this one run, by its folder, and end' },
    lease: { type: 'number', default: 30, describe: 'seconds after which the job of a worker that is gone goes to another' },
    ...budgetOptions,
  },
  examples: [
    ['$0 worker --queue redis://10.0.0.1:6379 --workers 4', 'do jobs that others submit with run --executor bullmq'],
    ['$0 worker --job runs/quickstart-1a2b3c4d/norm=batch', 'do one run, as a task of Slurm does'],
  ],
  run: async ({ queue, job, lease, ...words }, context) => {
    const budget = budgetOf(words);
    if (queue !== undefined && job !== undefined) throw new UserError('--queue and --job exclude each other: a queue says itself which jobs to do');
    if (!(lease >= 1)) throw new UserError(`--lease is a number of seconds from 1, got ${lease}`);
    const host = { packages: computingPackages(process.cwd()), dataDir: context.dataDir, ownsProcess: context.ownsProcess };
    if (job !== undefined) {
      if (budget.workers !== undefined) throw new UserError('--workers means nothing to --job, which is one run');
      const run = openRun(job);
      const observer = new Progress(context.progress);
      observer.runStarted(run, { index: 0, of: 1, waiting: 0 });
      await runJob(job, { ...host, threads: budget.threads, memory: budget.memory, patience, observer });
      return;
    }
    const { workers, threads } = shares(budget, availableParallelism());
    const stopped = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
    const note = (message: string) => context.progress.write(`${message}\n`);
    await serveQueue({ ...host, url: queue ?? defaultQueue, runs: context.runs, workers, threads, memory: budget.memory, lease, note }, stopped.signal);
  },
});
