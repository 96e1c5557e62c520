// The words of the command line that say who runs jobs, and the executor that they choose.
import { availableParallelism } from 'node:os';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import type { InferredOptionTypes, Options } from 'yargs';
import type { HostOptions } from '../run/host.ts';
import type { Executor } from './executor.ts';
import { inlineExecutor } from './inline.ts';
import { poolExecutor } from './pool.ts';

/** What one job may take, whoever runs it. */
export const budgetOptions = {
  workers: { type: 'number', describe: 'runs at once (default: one for each core)' },
  threads: { type: 'number', describe: 'threads of each run (default: its share of the cores)' },
  memory: { type: 'number', describe: 'GiB that each run may take' },
} as const satisfies Record<string, Options>;

/** Options of every command that runs jobs. */
export const executorOptions = {
  executor: { type: 'string', describe: 'who runs them: inline, pool (default for several), bullmq or slurm' },
  ...budgetOptions,
  queue: { type: 'string', describe: 'for bullmq: the Redis, e.g. redis://127.0.0.1:6379' },
  sbatch: { type: 'string', array: true, describe: 'for slurm: a word for sbatch, e.g. --sbatch=--partition=long' },
} as const satisfies Record<string, Options>;

export type ExecutorWords = Partial<InferredOptionTypes<typeof executorOptions>>;

export const executorNames = ['inline', 'pool', 'bullmq', 'slurm'] as const;

export interface Surroundings {
  readonly host: HostOptions;
  /** Folder of all runs. */
  readonly runs: string;
  /** Folder of the study whose jobs are to run. */
  readonly study: string;
  /** How many jobs are to run. */
  readonly jobs: number;
}

/** The executor that the words name. Throws a UserError for words that do not fit. */
export async function chooseExecutor(words: ExecutorWords, { host, runs, study, jobs }: Surroundings): Promise<Executor> {
  const { workers, threads, memory } = budgetOf(words);
  const { registry, ...budget } = { ...host, threads, memory };
  const several = jobs > 1 && (workers ?? (host.ownsProcess === true ? availableParallelism() : 1)) > 1;
  const name = words.executor ?? (several ? 'pool' : 'inline');
  checkFit(name, words);
  switch (name) {
    case 'inline':
      return inlineExecutor({ ...budget, ...(registry === undefined ? {} : { registry }) });
    case 'pool':
      return poolExecutor({ ...budget, workers });
    case 'bullmq':
      return (await import('./bullmq.ts')).bullmqExecutor({ url: words.queue ?? defaultQueue, runs });
    case 'slurm':
      return (await import('./slurm.ts')).slurmExecutor({ study, workers, threads, memory, dataDir: host.dataDir, words: words.sbatch ?? [] });
    default:
      throw new UserError(`there is no executor ${JSON.stringify(name)}${didYouMean(name, [...executorNames])}`, {
        remedy: `there are ${executorNames.join(', ')}`,
      });
  }
}

/** Where a Redis listens unless told otherwise. */
export const defaultQueue = 'redis://127.0.0.1:6379';

/** The budget that the words give, checked; memory in bytes. */
export function budgetOf({ workers, threads, memory }: Pick<ExecutorWords, 'workers' | 'threads' | 'memory'>) {
  for (const [name, value] of Object.entries({ workers, threads })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) throw new UserError(`--${name} is a whole number from 1, got ${value}`);
  }
  if (memory !== undefined && !(memory > 0)) throw new UserError(`--memory is a number of GiB above 0, got ${memory}`);
  return { workers, threads, memory: memory === undefined ? undefined : memory * 2 ** 30 };
}

/** Words for one executor mean nothing to another. */
function checkFit(name: string, { executor, queue, sbatch, workers }: ExecutorWords): void {
  if (queue !== undefined && name !== 'bullmq') throw new UserError(`--queue is for --executor=bullmq, not for ${name}`);
  if (sbatch !== undefined && name !== 'slurm') throw new UserError(`--sbatch is for --executor=slurm, not for ${name}`);
  if (workers !== undefined && workers > 1 && (executor === 'inline' || executor === 'bullmq')) {
    throw new UserError(`--workers means nothing to --executor=${name}`, {
      remedy: name === 'inline' ? 'it runs one job after the other: take --executor=pool' : 'athanor worker --workers says how many a machine runs at once',
    });
  }
}
