// The process that a pool starts: takes one job after the other, so that compiled code is used again.
import { JobHost } from '../run/host.ts';
import type { HostOptions } from '../run/host.ts';
import { runJobOn } from '../run/job.ts';
import { openRun } from '../run/study.ts';
import { observerOf } from './events.ts';
import { failureOf } from './failures.ts';
import type { JobEvent } from './executor.ts';

/** What the parent sends: a run folder. */
export interface ChildOrder {
  readonly folder: string;
}

/** What comes back. */
export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'event'; readonly event: JobEvent }
  | { readonly kind: 'done'; readonly failure?: { readonly message: string; readonly user: boolean } };

const send = (message: ChildMessage) => process.send?.(message);

// The parent stops its children itself; when it is gone, whatever ended it, nobody wants the outcome.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));

const host = new JobHost(JSON.parse(process.argv[2] ?? '{}') as HostOptions);
let last = Promise.resolve();
process.on('message', ({ folder }: ChildOrder) => {
  last = last.then(() => work(folder));
});
send({ kind: 'ready' });

async function work(folder: string): Promise<void> {
  try {
    await runJobOn(host, openRun(folder), observerOf((event) => send({ kind: 'event', event })));
    send({ kind: 'done' });
  } catch (error) {
    const { user, message } = failureOf(error);
    // The parent keeps what is written here as the job's log.
    process.stderr.write(`${user || !(error instanceof Error) ? message : (error.stack ?? message)}\n`);
    send({ kind: 'done', failure: { message, user } });
  }
}
