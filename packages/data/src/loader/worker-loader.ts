// The loader with its work done by worker threads, some batches ahead: the same batches in the same order.
import { InternalError, UserError } from '@athanor/core';
import type { Dataset } from '../dataset.ts';
import { createAssembler } from './assemble.ts';
import type { Batch } from './assemble.ts';
import { Cursor } from './cursor.ts';
import type { LoaderState } from './cursor.ts';
import { resolveLoaderOptions } from './loader.ts';
import type { LoaderOptions } from './loader.ts';
import type { Response, Setup } from './protocol.ts';
import { spawnWorker } from './spawn.ts';
import type { WorkerHandle } from './spawn.ts';

export interface WorkerLoaderOptions extends LoaderOptions {
  /** Worker threads. Default 1. */
  readonly workers?: number;
  /** Batches made ahead of the one that is consumed. Default twice the workers. */
  readonly ahead?: number;
}

interface Pending {
  readonly batch: Promise<Batch>;
  /** The loader's state once the batch is consumed. */
  readonly after: LoaderState;
}

/**
 * As `Loader`, with `next()` a promise. Transforms must be this package's own.
 *
 * ```ts
 * const loader = new WorkerLoader(train, { batch: 64, transforms: [flip()], workers: 2 });
 * const { inputs, labels } = await loader.next();
 * await loader.close();
 * ```
 */
export class WorkerLoader {
  readonly #cursor: Cursor;
  readonly #workers: WorkerHandle[];
  readonly #ahead: number;
  readonly #waiting = new Map<number, { resolve: (batch: Batch) => void; reject: (error: Error) => void }>();
  #queue: Pending[] = [];
  #consumed: LoaderState;
  #requests = 0;
  #holders = 0;
  #ended: string | undefined;

  /** @throws UserError for options that `Loader` refuses, and for transforms that a worker cannot make. */
  constructor(dataset: Dataset, options: WorkerLoaderOptions) {
    const { workers = 1, ahead = 2 * workers } = options;
    if (!Number.isInteger(workers) || workers < 1)
      throw new UserError(`workers must be a whole number of at least 1, got ${workers}`);
    if (!Number.isInteger(ahead) || ahead < 1)
      throw new UserError(`ahead must be a whole number of at least 1, got ${ahead}`);
    const { cursor, assemble } = resolveLoaderOptions(dataset, options);
    this.#cursor = new Cursor(dataset.length, cursor);
    createAssembler(dataset, assemble);
    this.#consumed = this.#cursor.state();
    this.#ahead = ahead;
    const transforms = assemble.transforms.map(({ name, config }) => {
      if (config !== undefined) return { name, config };
      throw new UserError(`transform ${name} is not one of this package's, so workers cannot make it`, {
        remedy: 'use the plain Loader',
      });
    });
    const setup: Setup = { ...assemble, dataset: shareable(dataset), transforms };
    this.#workers = Array.from({ length: workers }, () =>
      spawnWorker({ onResponse: (response) => this.#receive(response), onEnd: (reason) => this.#fail(reason) }),
    );
    for (const worker of this.#workers) worker.post(setup);
  }

  /** The epoch of the next batch, from 0. */
  get epoch(): number {
    return this.#consumed.epoch;
  }

  /** Batches in an epoch; a last incomplete one counts unless it is dropped. */
  get batchesPerEpoch(): number {
    return this.#cursor.batchesPerEpoch;
  }

  /** The next batch. @throws Error when a worker broke down or the loader is closed. */
  async next(): Promise<Batch> {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    while (this.#queue.length < this.#ahead) this.#queue.push(this.#request());
    const first = this.#queue.shift();
    if (first === undefined) throw new InternalError('no batch was asked for');
    this.#hold(1);
    try {
      const batch = await first.batch;
      this.#consumed = first.after;
      return batch;
    } finally {
      this.#hold(-1);
    }
  }

  /** Workers keep the process alive only while a batch is waited for. */
  #hold(change: 1 | -1): void {
    this.#holders += change;
    for (const worker of this.#workers) worker.hold(this.#holders > 0);
  }

  /** What is left of the current epoch. */
  async *rest(): AsyncGenerator<Batch, void> {
    const epoch = this.epoch;
    while (this.epoch === epoch) yield await this.next();
  }

  /** The place behind the last consumed batch, as JSON; the same as a `Loader`'s. */
  state(): LoaderState {
    return this.#consumed;
  }

  /** Goes to a place saved by `state()`, of this or of a plain loader. */
  restore(state: LoaderState): void {
    this.#cursor.restore(state);
    this.#consumed = this.#cursor.state();
    this.#queue = [];
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    this.#fail('the loader is closed');
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #request(): Pending {
    const id = this.#requests++;
    const plan = this.#cursor.next();
    const batch = new Promise<Batch>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    // A batch that is never consumed must not end the process.
    batch.catch(() => undefined);
    this.#workers[id % this.#workers.length]?.post({ id, plan });
    return { batch, after: this.#cursor.state() };
  }

  #receive(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('batch' in response) waiting?.resolve(response.batch);
    else
      waiting?.reject(response.error.user ? new UserError(response.error.message) : new Error(response.error.message));
  }

  #fail(reason: string): void {
    this.#ended ??= reason === 'the loader is closed' ? reason : `a loader's worker broke down: ${reason}`;
    for (const { reject } of this.#waiting.values()) reject(new Error(this.#ended));
    this.#waiting.clear();
  }
}

/** The data set in shared memory, so that workers need no copies; the data set itself where there is none. */
function shareable(dataset: Dataset): Dataset {
  if (typeof SharedArrayBuffer === 'undefined' || dataset.inputs.buffer instanceof SharedArrayBuffer) return dataset;
  const { inputs } = dataset;
  const memory = new SharedArrayBuffer(inputs.byteLength);
  const shared = inputs instanceof Uint8Array ? new Uint8Array(memory) : new Float32Array(memory);
  shared.set(inputs);
  return { ...dataset, inputs: shared };
}
