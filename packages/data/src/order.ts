// The order of samples in an epoch: a pure function of seed and epoch.
import { RandomStream, streamKey } from './random.ts';
import type { StreamKey } from './random.ts';

/** A uniform random permutation of 0 … length − 1 (Fisher & Yates). */
export function permutation(length: number, key: StreamKey): Int32Array {
  const random = new RandomStream(key);
  const order = identity(length);
  for (let last = length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
  return order;
}

/** 0 … length − 1. */
export function identity(length: number): Int32Array {
  return Int32Array.from({ length }, (_, index) => index);
}

/** The order of an epoch: shuffled by seed and epoch, or as stored. */
export function epochOrder(length: number, options: { seed: number; epoch: number; shuffle: boolean }): Int32Array {
  return options.shuffle ? permutation(length, streamKey(options.seed, 'order', options.epoch)) : identity(length);
}

/** Which samples come together in a batch: of only so many classes, drawn anew for each batch. */
export interface ClassGrouping {
  readonly labels: Int32Array;
  /** Samples a batch. */
  readonly batch: number;
  /** Classes in a batch. */
  readonly classes: number;
}

/**
 * An order whose batches hold samples of few classes: batches that are not independent draws. Each class is gone through
 * in a random order, and again when it is used up, so a sample may come twice in an epoch.
 */
export function groupedOrder({ labels, batch, classes }: ClassGrouping, options: { seed: number; epoch: number }): Int32Array {
  const { seed, epoch } = options;
  const members = new Map<number, number[]>();
  for (const index of permutation(labels.length, streamKey(seed, 'order', epoch))) {
    const label = labels[index] ?? 0;
    const known = members.get(label);
    if (known === undefined) members.set(label, [index]);
    else known.push(index);
  }
  const pools = [...members.keys()].sort((a, b) => a - b).map((label) => ({ samples: members.get(label) ?? [], used: 0 }));
  const random = new RandomStream(streamKey(seed, 'classes', epoch));
  const order = new Int32Array(labels.length);
  let chosen: typeof pools = [];
  for (let position = 0; position < order.length; position++) {
    const within = position % batch;
    if (within === 0) {
      const left = [...pools];
      chosen = Array.from({ length: Math.min(classes, pools.length) }, () => left.splice(random.integer(left.length), 1)).flat();
    }
    const pool = chosen[within % chosen.length];
    if (pool !== undefined) order[position] = pool.samples[pool.used++ % pool.samples.length] ?? 0;
  }
  return order;
}
