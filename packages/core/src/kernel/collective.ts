// Replicas: processes that run the same programs in lock step on their own parts of a batch, and add up tensors.
import type { TypedArray } from '../dtype.ts';

/** How this process reaches the other replicas. */
export interface Collective {
  /** How many replicas there are. */
  readonly size: number;
  /** This replica's number, from 0. */
  readonly rank: number;
  /**
   * Replaces the values by their sums over all replicas, the same bits on each. Waits until all have given theirs: all
   * must ask for the same sums in the same order. Throws if a replica is gone.
   */
  allReduce(values: TypedArray): void;
}

let current: Collective | undefined;

/** Makes this process one of several replicas, or, with undefined, alone again. */
export function setCollective(collective: Collective | undefined): void {
  current = collective;
}

/** How many replicas there are and which one this is: `{ size: 1, rank: 0 }` alone. */
export function replicas(): { readonly size: number; readonly rank: number } {
  return { size: current?.size ?? 1, rank: current?.rank ?? 0 };
}

export function allReduceInto(output: TypedArray, x: TypedArray): void {
  output.set(x);
  current?.allReduce(output);
}
