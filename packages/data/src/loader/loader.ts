// Batches of a data set in an order that is a pure function of seed and epoch, with an exact cursor.
import { UserError } from '@athanor/core';
import type { Dataset, Statistics } from '../dataset.ts';
import type { Transform } from '../transforms/transform.ts';
import { createAssembler } from './assemble.ts';
import type { Assemble, AssembleOptions, Batch } from './assemble.ts';
import { Cursor } from './cursor.ts';
import type { CursorOptions, LoaderState } from './cursor.ts';

export interface LoaderOptions {
  /** Samples a batch. */
  readonly batch: number;
  /** Decides the order and every random transform. Default 0. */
  readonly seed?: number;
  /** A new random order each epoch. Default true; false keeps the stored order. */
  readonly shuffle?: boolean;
  /** Leave out the last batch of an epoch when it is short. Default false. */
  readonly dropLast?: boolean;
  /** Take each batch from so many classes only, drawn anew for each: batches that are no independent draws. */
  readonly classesPerBatch?: number | undefined;
  /** Default: the data set's known statistics, if any. */
  readonly normalize?: Statistics | false | undefined;
  /** Applied in order to each sample, before normalisation. */
  readonly transforms?: readonly Transform[];
  /** Mixup (Zhang et al. 2018): see `Batch.mixed`. */
  readonly mixup?: { readonly alpha: number } | undefined;
}

/** The options with defaults filled in, in two parts. */
export function resolveLoaderOptions(
  dataset: Dataset,
  options: LoaderOptions,
): { cursor: CursorOptions; assemble: AssembleOptions } {
  const { batch, seed = 0, shuffle = true, dropLast = false, transforms = [], mixup, classesPerBatch } = options;
  if (classesPerBatch !== undefined && !(Number.isInteger(classesPerBatch) && classesPerBatch >= 1)) {
    throw new UserError(`batches of ${classesPerBatch} classes`, { remedy: 'give a whole number from 1' });
  }
  const grouped = classesPerBatch === undefined ? undefined : { labels: dataset.labels, classes: classesPerBatch };
  const normalize = options.normalize ?? dataset.statistics ?? false;
  return { cursor: { batch, seed, shuffle, dropLast, grouped }, assemble: { seed, normalize, transforms, mixup } };
}

/**
 * An endless sequence of batches, epoch after epoch. The same data set and options give the same bits,
 * and a loader restored from a `state()` goes on exactly as the first one did.
 *
 * ```ts
 * const loader = new Loader(train, { batch: 64, seed: 1, transforms: [crop({ padding: 2 }), flip()] });
 * const { inputs, labels, size } = loader.next();
 * ```
 */
export class Loader {
  readonly #cursor: Cursor;
  readonly #assemble: Assemble;

  constructor(dataset: Dataset, options: LoaderOptions) {
    const resolved = resolveLoaderOptions(dataset, options);
    this.#cursor = new Cursor(dataset.length, resolved.cursor);
    this.#assemble = createAssembler(dataset, resolved.assemble);
  }

  /** The epoch of the next batch, from 0. */
  get epoch(): number {
    return this.#cursor.epoch;
  }

  /** Batches in an epoch; a last incomplete one counts unless it is dropped. */
  get batchesPerEpoch(): number {
    return this.#cursor.batchesPerEpoch;
  }

  /** Makes the next batch and moves past it. */
  next(): Batch {
    return this.#assemble(this.#cursor.next());
  }

  /** What is left of the current epoch. */
  *rest(): Generator<Batch, void> {
    const epoch = this.epoch;
    while (this.epoch === epoch) yield this.next();
  }

  /** The place behind the last consumed batch, as JSON. */
  state(): LoaderState {
    return this.#cursor.state();
  }

  /** Goes to a place saved by `state()`. */
  restore(state: LoaderState): void {
    this.#cursor.restore(state);
  }
}

/** One pass in stored order, for evaluation. */
export function* batches(
  dataset: Dataset,
  options: { batch: number; normalize?: Statistics | false },
): Generator<Batch, void> {
  yield* new Loader(dataset, { ...options, shuffle: false }).rest();
}
