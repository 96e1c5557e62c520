// What the worker-backed loader and its workers say to each other.
import type { Dataset, Statistics } from '../dataset.ts';
import type { Batch } from './assemble.ts';
import type { BatchPlan } from './cursor.ts';

/** The first message: everything that a batch depends on but its plan. */
export interface Setup {
  readonly dataset: Dataset;
  readonly seed: number;
  readonly normalize: Statistics | false;
  readonly transforms: ReadonlyArray<{ readonly name: string; readonly config: object }>;
  readonly mixup: { readonly alpha: number } | undefined;
}

/** Every later message: a batch to make. */
export interface Request {
  readonly id: number;
  readonly plan: BatchPlan;
}

export type Response =
  | { readonly id: number; readonly batch: Batch }
  | { readonly id: number; readonly error: { readonly message: string; readonly user: boolean } };
