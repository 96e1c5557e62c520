// The parent's side of a process that runs jobs: hands it one at a time and keeps what it says in the job's log.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownCommand } from '../run/environment.ts';
import type { HostOptions } from '../run/host.ts';
import type { ChildMessage, ChildOrder } from './child.ts';
import type { JobEvent, JobFailure } from './executor.ts';

/** How a job in another process ended. */
export type ProcessOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: JobFailure }
  /** The process died in the middle of the job, which can be gone on with. */
  | { readonly kind: 'died'; readonly how: string };

export interface ProcessOptions extends Omit<HostOptions, 'registry'> {
  /** Words for Node itself; by default, those of this process. */
  readonly execArgv?: readonly string[];
}

/** A run's log: all that its process wrote and noted, of every attempt. */
export function logFile(folder: string): string {
  return join(folder, 'job.log');
}

const here = fileURLToPath(import.meta.url);
const childFile = join(here, '..', `child${extname(here)}`);

export class JobProcess {
  readonly #child: ChildProcess;
  #job: { readonly folder: string; readonly tell: (event: JobEvent) => void; readonly resolve: (outcome: ProcessOutcome) => void } | undefined;
  #gone: string | undefined;

  constructor({ execArgv, ...host }: ProcessOptions) {
    this.#child = fork(childFile, [JSON.stringify({ command: ownCommand(), ...host })], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (bytes: Uint8Array) => this.#log(bytes));
    this.#child.on('message', (message) => this.#receive(message as ChildMessage));
    this.#child.on('error', (error) => this.#end(error.message));
    // `close` comes when the last words have been read, which `exit` does not wait for.
    this.#child.on('close', (code, signal) => this.#end(signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`));
    processes.add(this.#child);
  }

  /** Whether it can be given a job. */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Has one job done. The process must be idle. */
  run(folder: string, tell: (event: JobEvent) => void): Promise<ProcessOutcome> {
    if (this.#gone !== undefined) return Promise.resolve({ kind: 'died', how: this.#gone });
    return new Promise((resolve) => {
      this.#job = { folder, tell, resolve };
      this.#child.send({ folder } satisfies ChildOrder);
    });
  }

  /** Ends the process, now, whatever it does; a job that it works on can be gone on with. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(message: ChildMessage): void {
    if (message.kind === 'event') {
      if (message.event.kind === 'note') this.#log(`${message.event.message}\n`);
      this.#job?.tell(message.event);
    } else if (message.kind === 'done') {
      const folder = this.#job?.folder;
      const failure = message.failure;
      // What it wrote last comes through another pipe, and may come later.
      setImmediate(() => {
        if (failure === undefined || folder === undefined) this.#finish({ kind: 'done' });
        else this.#finish({ kind: 'failed', failure: { ...failure, log: logFile(folder) } });
      });
    }
  }

  #end(how: string): void {
    this.#gone = how;
    processes.delete(this.#child);
    this.#finish({ kind: 'died', how });
  }

  #finish(outcome: ProcessOutcome): void {
    const job = this.#job;
    this.#job = undefined;
    job?.resolve(outcome);
  }

  #log(text: string | Uint8Array): void {
    if (this.#job !== undefined) appendFileSync(logFile(this.#job.folder), text);
  }
}

/** Those that live: none may outlive this process. */
const processes = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of processes) child.kill('SIGKILL');
});
