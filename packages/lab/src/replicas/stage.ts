// A stage that several processes compute together, each on its part of every batch: to the runner it is one stage.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import type { Stage, StageResult, StageState, StepReport } from '../run/stage.ts';
import type { ReplicaAnswer, ReplicaCall, ReplicaOrder } from './child.ts';
import { Exchange, sumsDescriptor } from './exchange.ts';

const here = fileURLToPath(import.meta.url);
const childFile = join(here, '..', `child${extname(here)}`);
/** The last one is `sumsDescriptor`. */
const stdio = ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] as const;

export type ReplicatedOrder = Omit<ReplicaOrder, 'rank'> & { readonly notify: (message: string) => void };

/**
 * Starts `size` processes that all make the same stage, with `replicas()` telling each its rank. Every call goes to all;
 * states, reports and results are those of rank 0. When one of them ends, all do, and the call is an error.
 */
export async function replicatedStage({ notify, ...order }: ReplicatedOrder): Promise<Stage> {
  const cores = order.host.threads ?? availableParallelism();
  const threads = Math.max(1, Math.floor(cores / order.size));
  const replicas = new Replicas({ ...order, host: { ...order.host, threads } }, notify);
  try {
    const { steps, checkpointEvery } = (await replicas.call({ method: 'make' })) as Pick<Stage, 'steps' | 'checkpointEvery'>;
    return {
      steps,
      checkpointEvery,
      step: (step) => replicas.call({ method: 'step', step }) as Promise<StepReport>,
      state: () => replicas.call({ method: 'state' }) as Promise<StageState>,
      restore: async (state) => void (await replicas.call({ method: 'restore', state })),
      finish: () => replicas.call({ method: 'finish' }) as Promise<StageResult>,
      dispose: () => replicas.end(),
    };
  } catch (error) {
    replicas.end();
    throw error;
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

class Replicas {
  readonly #children: readonly ChildProcess[];
  readonly #waiting: (Waiting | undefined)[];
  #failure: Error | undefined;

  constructor(order: Omit<ReplicaOrder, 'rank'>, notify: (message: string) => void) {
    this.#children = Array.from({ length: order.size }, (_, rank) =>
      fork(childFile, [JSON.stringify({ ...order, rank } satisfies ReplicaOrder)], { stdio: [...stdio], serialization: 'advanced' }),
    );
    this.#waiting = this.#children.map(() => undefined);
    for (const [rank, child] of this.#children.entries()) {
      child.on('message', (answer) => this.#receive(rank, answer as ReplicaAnswer, notify));
      child.on('error', (error) => this.#fail(error));
      child.on('exit', (code, signal) => this.#fail(new Error(`replica ${rank} ${signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`}`)));
      living.add(child);
    }
    new Exchange(this.#children.map((child) => child.stdio[sumsDescriptor] as Duplex), (error) => this.#fail(error));
  }

  /** Has all replicas do something; the value is rank 0's. */
  async call(call: ReplicaCall): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    const answers = this.#children.map(
      (child, rank) =>
        new Promise<unknown>((resolve, reject) => {
          this.#waiting[rank] = { resolve, reject };
          child.send(call);
        }),
    );
    const [first] = await Promise.all(answers);
    return first;
  }

  /** Ends all processes. */
  end(): void {
    this.#failure ??= new Error('the replicas were ended');
    for (const child of this.#children) {
      living.delete(child);
      child.kill('SIGKILL');
    }
  }

  #receive(rank: number, answer: ReplicaAnswer, notify: (message: string) => void): void {
    if (answer.kind === 'note') return notify(answer.message);
    const waiting = this.#waiting[rank];
    this.#waiting[rank] = undefined;
    if (answer.kind === 'value') return waiting?.resolve(answer.value);
    // The others may be waiting for this one's sums.
    this.#fail(answer.user ? new UserError(answer.message) : new Error(`replica ${rank}: ${answer.message}`));
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.end();
    for (const waiting of this.#waiting) waiting?.reject(error);
  }
}

/** Those that live: none may outlive this process. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});
