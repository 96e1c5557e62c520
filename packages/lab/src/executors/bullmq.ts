// The executor that puts jobs into a queue on Redis and waits until workers on any machine (`athanor worker --queue`) have done them.
import { relative, sep } from 'node:path';
import type { Queue } from 'bullmq';
import { openRun, runStatus } from '../run/study.ts';
import type { Executor, JobEvent, JobFailure, JobOutcome, Tell } from './executor.ts';
import { logFile } from './job-process.ts';
import { connectionTo, jobIdOf, loadBullmq, queueName } from './queue.ts';
import type { QueuedAnswer, QueuedJob } from './queue.ts';

export interface BullmqOptions {
  /** `redis://host:port`. */
  readonly url: string;
  /** Folder of all runs, which the workers see too, by this or another path. */
  readonly runs: string;
}

/** Events can be lost with a connection: the state is asked for now and then. Milliseconds. */
const askEvery = 3000;

/** Runs jobs on the workers of a queue. */
export function bullmqExecutor({ url, runs }: BullmqOptions): Executor {
  return {
    name: 'bullmq',
    async run(folders, tell) {
      if (folders.length === 0) return [];
      const { Queue, QueueEvents } = await loadBullmq();
      const connection = await connectionTo(url);
      const queue = new Queue<QueuedJob, QueuedAnswer>(queueName, { connection });
      const events = new QueueEvents(queueName, { connection });
      const watches = new Map(folders.map((folder) => {
        const run = relative(runs, folder).split(sep).join('/');
        return [jobIdOf(run), new Watch(folder, run, tell)];
      }));
      events.on('progress', ({ jobId, data }) => watches.get(jobId)?.hear(data as unknown as JobEvent));
      events.on('stalled', ({ jobId }) => watches.get(jobId)?.lost());
      for (const ended of ['completed', 'failed'] as const) {
        events.on(ended, ({ jobId }: { jobId: string }) => void ask(queue, jobId, watches.get(jobId)).catch(() => undefined));
      }
      try {
        await events.waitUntilReady();
        for (const [id, watch] of watches) await submit(queue, id, watch);
        const timer = setInterval(() => {
          for (const [id, watch] of watches) void ask(queue, id, watch).catch(() => undefined);
        }, askEvery);
        try {
          return await Promise.all([...watches.values()].map(({ outcome }) => outcome));
        } finally {
          clearInterval(timer);
        }
      } finally {
        await events.close();
        await queue.close();
      }
    },
  };
}

type JobQueue = Queue<QueuedJob, QueuedAnswer>;

/** Queues a job, unless it waits or runs already for somebody who asked before. */
async function submit(queue: JobQueue, jobId: string, { run }: Watch): Promise<void> {
  const earlier = await queue.getJob(jobId);
  if (earlier !== undefined && ((await earlier.isCompleted()) || (await earlier.isFailed()))) await earlier.remove();
  await queue.add('run', { run }, { jobId, removeOnComplete: { age: 3600 }, removeOnFail: { age: 3600 } });
}

/** Looks how a job stands, and ends its watch if it has ended. */
async function ask(queue: JobQueue, jobId: string, watch: Watch | undefined): Promise<void> {
  if (watch === undefined || watch.ended) return;
  const job = await queue.getJob(jobId);
  const state = job === undefined ? 'unknown' : await job.getState();
  if (job !== undefined && state === 'completed') watch.end(job.returnvalue.failure);
  else if (job !== undefined && state === 'failed') watch.end({ message: `the queue gave it up: ${job.failedReason}`, user: false });
  else if (job === undefined && ['done', 'stopped'].includes(runStatus(openRun(watch.folder)))) watch.end(undefined);
  else if (job === undefined) await submit(queue, jobId, watch);
}

/** One job as it is waited for. */
class Watch {
  readonly folder: string;
  readonly run: string;
  readonly outcome: Promise<JobOutcome>;
  ended = false;
  readonly #tell: Tell;
  #resolve: (outcome: JobOutcome) => void = () => undefined;
  #started = false;

  constructor(folder: string, run: string, tell: Tell) {
    this.folder = folder;
    this.run = run;
    this.#tell = tell;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  hear(event: JobEvent): void {
    if (this.ended || event.kind === 'ended') return;
    if (!this.#started) this.#tell(this.folder, { kind: 'started' });
    this.#started = true;
    if (event.kind !== 'started') this.#tell(this.folder, event);
  }

  lost(): void {
    if (!this.ended && this.#started) this.#tell(this.folder, { kind: 'note', message: 'its worker is gone: another one goes on' });
  }

  end(failure: Omit<JobFailure, 'log'> | undefined): void {
    if (this.ended) return;
    this.hear({ kind: 'started' });
    this.ended = true;
    this.#tell(this.folder, { kind: 'ended', failed: failure !== undefined });
    this.#resolve({ folder: this.folder, ...(failure === undefined ? {} : { failure: { ...failure, log: logFile(this.folder) } }) });
  }
}
