// Which samples make the next batch: a position in an endless sequence of epochs, saved and restored exactly.
import { UserError } from '@athanor/core';
import { epochOrder, groupedOrder } from '../order.ts';
import { checkSeed } from '../random.ts';

/** Where a loader stands, as JSON: everything before it was consumed, nothing after. */
export interface LoaderState {
  readonly seed: number;
  readonly shuffle: boolean;
  /** Number of samples in the data set. */
  readonly length: number;
  readonly epoch: number;
  /** Samples consumed of this epoch. */
  readonly position: number;
}

/** A batch to be made. */
export interface BatchPlan {
  readonly epoch: number;
  /** The batch's number in its epoch, from 0. */
  readonly index: number;
  /** Indices into the data set. */
  readonly indices: Int32Array;
}

export interface CursorOptions {
  /** Samples a batch. */
  readonly batch: number;
  readonly seed: number;
  readonly shuffle: boolean;
  /** Leave out the last batch of an epoch when it is short. */
  readonly dropLast: boolean;
  /** Take each batch from so many classes only; in place of the shuffled order. */
  readonly grouped?: { readonly labels: Int32Array; readonly classes: number } | undefined;
}

export class Cursor {
  readonly #length: number;
  readonly #options: CursorOptions;
  #epoch = 0;
  #position = 0;
  #order: { epoch: number; indices: Int32Array } | undefined;

  /** @throws UserError for a batch that is not a positive integer, or larger than the set with `dropLast`. */
  constructor(length: number, options: CursorOptions) {
    const { batch, dropLast } = options;
    if (!Number.isInteger(batch) || batch < 1)
      throw new UserError(`batch must be a whole number of at least 1, got ${batch}`);
    if (dropLast && batch > length) {
      throw new UserError(`batches of ${batch} with dropLast leave nothing of ${length} samples`, {
        remedy: `use a batch of at most ${length}`,
      });
    }
    checkSeed(options.seed);
    this.#length = length;
    this.#options = options;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get batchesPerEpoch(): number {
    const { batch, dropLast } = this.#options;
    return dropLast ? Math.floor(this.#length / batch) : Math.ceil(this.#length / batch);
  }

  /** The next batch; the last one of an epoch moves the cursor to the start of the next epoch. */
  next(): BatchPlan {
    const { batch, dropLast } = this.#options;
    const epoch = this.#epoch;
    const start = this.#position;
    const end = Math.min(start + batch, this.#length);
    const left = this.#length - end;
    if (left === 0 || (dropLast && left < batch)) {
      this.#epoch++;
      this.#position = 0;
    } else {
      this.#position = end;
    }
    return { epoch, index: Math.floor(start / batch), indices: this.#orderOf(epoch).slice(start, end) };
  }

  state(): LoaderState {
    const { seed, shuffle } = this.#options;
    return { seed, shuffle, length: this.#length, epoch: this.#epoch, position: this.#position };
  }

  /**
   * Goes to a saved place.
   * @throws UserError when the state is of another seed, order or data set size, or not a place in it.
   */
  restore(state: LoaderState): void {
    const own = this.state();
    for (const key of ['seed', 'shuffle', 'length'] as const) {
      if (state[key] !== own[key]) {
        throw new UserError(`the saved loader state has ${key} ${state[key]}, this loader has ${own[key]}`, {
          remedy: 'resume with the data settings that the run was started with',
        });
      }
    }
    const { epoch, position } = state;
    const { batch, dropLast } = this.#options;
    const usable = dropLast ? this.#length - batch : this.#length - 1;
    if (!Number.isSafeInteger(epoch) || epoch < 0 || !Number.isInteger(position) || position < 0 || position > usable) {
      throw new UserError(
        `the saved loader state stands at epoch ${epoch}, sample ${position}, where there is no batch of ${batch}`,
      );
    }
    this.#epoch = epoch;
    this.#position = position;
  }

  #orderOf(epoch: number): Int32Array {
    if (this.#order?.epoch !== epoch) {
      const { grouped, batch } = this.#options;
      const place = { ...this.#options, epoch };
      this.#order = { epoch, indices: grouped === undefined ? epochOrder(this.#length, place) : groupedOrder({ ...grouped, batch }, place) };
    }
    return this.#order.indices;
  }
}
