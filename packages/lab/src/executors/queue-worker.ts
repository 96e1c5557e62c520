// A worker of the queue on Redis: takes jobs, has them done in processes of this machine, and gives back what it cannot finish.
import { isAbsolute, relative, resolve } from 'node:path';
import type { Job } from 'bullmq';
import type { ProcessOptions } from './job-process.ts';
import { JobStopped, Slot } from './pool.ts';
import { connectionTo, loadBullmq, queueName } from './queue.ts';
import type { QueuedAnswer, QueuedJob } from './queue.ts';
import { goneAfter } from '../run/lock.ts';
import type { JobEvent } from './executor.ts';

export interface QueueWorkerOptions extends ProcessOptions {
  readonly url: string;
  /** Folder of all runs, as this machine sees it. */
  readonly runs: string;
  /** Jobs at once. */
  readonly workers: number;
  /** Seconds after which the job of a worker that is gone is given to another. */
  readonly lease: number;
  readonly note: (message: string) => void;
}

/** Works on the queue until `signal` fires; jobs that are not done then go back into it. */
export async function serveQueue({ url, runs, workers, lease, note, ...options }: QueueWorkerOptions, signal: AbortSignal): Promise<void> {
  const { Worker, DelayedError } = await loadBullmq();
  const connection = await connectionTo(url);
  const slots = Array.from({ length: workers }, () => new Slot({ ...options, patience: Math.max(lease, goneAfter) + 60 }));
  const free = [...slots];
  const working = new Map<string, Slot>();

  async function work(job: Job<QueuedJob, QueuedAnswer>, token?: string): Promise<QueuedAnswer> {
    const { run } = job.data;
    const folder = resolve(runs, run);
    const way = relative(runs, folder);
    if (way.startsWith('..') || isAbsolute(way)) return { failure: { message: `${run} is not a folder under ${runs}`, user: true } };
    const slot = free.pop() ?? new Slot({ ...options, patience: goneAfter });
    working.set(job.id ?? '', slot);
    note(`${run}: begun`);
    const tell = teller(job);
    try {
      const { failure } = await slot.run(folder, (_, event) => tell(event));
      note(failure === undefined ? `${run}: done` : `${run}: failed: ${failure.message}`);
      return failure === undefined ? {} : { failure: { message: failure.message, user: failure.user } };
    } catch (error) {
      if (!(error instanceof JobStopped)) throw error;
      note(`${run}: given back`);
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    } finally {
      working.delete(job.id ?? '');
      free.push(slot);
    }
  }

  const worker = new Worker<QueuedJob, QueuedAnswer>(queueName, work, {
    connection,
    concurrency: workers,
    lockDuration: lease * 1000,
    stalledInterval: lease * 1000,
    // A job whose workers keep dying still goes on from its checkpoints; the slot knows when one does not come further.
    maxStalledCount: 1000,
  });
  worker.on('error', (error) => note(`the queue: ${error.message}`));
  // Somebody else has the job by now.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) working.get(id)?.stop();
  });
  try {
    await worker.waitUntilReady();
    note(`waiting for jobs of ${url}, ${workers} at once`);
    await new Promise<void>((stopped) => {
      if (signal.aborted) stopped();
      signal.addEventListener('abort', () => stopped(), { once: true });
    });
  } finally {
    for (const slot of slots) slot.stop();
    await worker.close();
  }
}

/** Sends events in order, without waiting for them; those that the queue does not take are lost. */
function teller(job: Job<QueuedJob, QueuedAnswer>): (event: JobEvent) => void {
  let last = Promise.resolve();
  return (event) => {
    last = last.then(() => job.updateProgress(event)).catch(() => undefined);
  };
}
