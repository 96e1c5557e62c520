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
