// The executor that runs several jobs at once in processes of this machine, each with its share of threads and memory.
import { availableParallelism, totalmem } from 'node:os';
import type { Executor, JobEvent, JobFailure, JobOutcome, Tell } from './executor.ts';
import { JobProcess, logFile } from './job-process.ts';
import type { ProcessOptions } from './job-process.ts';

export interface PoolOptions extends ProcessOptions {
  /** Jobs at once; by default, one for each core, as far as jobs and memory go. */
  readonly workers?: number | undefined;
}

/** A job is given up when its process has died this often without coming further. */
const deathsAllowed = 3;

/** How many jobs run at once, and the threads of each. */
export function shares({ workers, threads, memory }: Pick<PoolOptions, 'workers' | 'threads' | 'memory'>, jobs: number): { readonly workers: number; readonly threads: number } {
  const cores = availableParallelism();
  const fitting = memory === undefined ? Infinity : Math.max(1, Math.floor(totalmem() / memory));
  const most = workers ?? Math.min(fitting, threads === undefined ? cores : Math.max(1, Math.floor(cores / threads)));
  const taken = Math.max(1, Math.min(most, jobs));
  return { workers: taken, threads: threads ?? Math.max(1, Math.floor(cores / taken)) };
}

/** Runs jobs in child processes. A process that dies is replaced, and its job is gone on with. */
export function poolExecutor(options: PoolOptions): Executor {
  return {
    name: 'pool',
    async run(folders, tell) {
      const { workers, threads } = shares(options, folders.length);
      const outcomes = new Map<string, JobOutcome>();
      const waiting = [...folders];
      const lane = async () => {
        const slot = new Slot({ ...options, threads });
        for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
          outcomes.set(folder, await slot.run(folder, tell));
        }
        slot.stop();
      };
      await Promise.all(Array.from({ length: workers }, lane));
      return folders.map((folder) => outcomes.get(folder) ?? { folder });
    },
  };
}

/** The job was stopped from outside, and can be gone on with. */
export class JobStopped extends Error {
  constructor(folder: string) {
    super(`${folder} was stopped`);
  }
}

/** A place in the pool: one process at a time. */
export class Slot {
  readonly #options: ProcessOptions;
  #process: JobProcess | undefined;
  #stopped = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Runs a job to its end, in as many processes as it takes. */
  async run(folder: string, tell: Tell): Promise<JobOutcome> {
    this.#stopped = false;
    tell(folder, { kind: 'started' });
    const failure = await this.#untilEnd(folder, (event) => tell(folder, event));
    tell(folder, { kind: 'ended', failed: failure !== undefined });
    return { folder, ...(failure === undefined ? {} : { failure }) };
  }

  async #untilEnd(folder: string, tell: (event: JobEvent) => void): Promise<JobFailure | undefined> {
    let before: string | undefined;
    for (let deaths = 0; ; ) {
      if (this.#process?.alive !== true) this.#process = new JobProcess(this.#options);
      let beginning: string | undefined;
      const outcome = await this.#process.run(folder, (event) => {
        if (event.kind === 'stage') beginning ??= `${event.name} ${event.from}`;
        tell(event);
      });
      if (outcome.kind === 'done') return undefined;
      if (outcome.kind === 'failed') return outcome.failure;
      if (this.#stopped) throw new JobStopped(folder);
      deaths = beginning === before || beginning === undefined ? deaths + 1 : 1;
      before = beginning;
      if (deaths === deathsAllowed) {
        return { message: `its process ${outcome.how}, ${deaths} times without coming further`, user: false, log: logFile(folder) };
      }
      tell({ kind: 'note', message: `its process ${outcome.how}: another one goes on` });
    }
  }

  /** Ends the process; a job that it works on rejects with {@link JobStopped}. The next job begins another process. */
  stop(): void {
    this.#stopped = true;
    this.#process?.kill();
    this.#process = undefined;
  }
}
