// A training whose numbers are no longer finite ends before a checkpoint keeps them.
import { UserError } from '@athanor/core';
import type { StoredArray } from '@athanor/data';

const remedy =
  'try a lower learning rate, a warm-up (schedule: { warmup: 100 }), clipped gradients (clip: { norm: 1 }), or data on a smaller scale; no checkpoint holds this';

/** Throws a UserError unless the loss of step `step` (from 1) is finite. */
export function requireFiniteLoss(loss: number, step: number, lr: number): void {
  if (Number.isFinite(loss)) return;
  throw new UserError(`the training loss is ${loss} at step ${step}, with a learning rate of ${Number(lr.toPrecision(4))}`, { remedy });
}

/** Throws a UserError that names the first array with an element that is not finite. */
export function requireFiniteState(tensors: ReadonlyMap<string, StoredArray>, step: number): void {
  for (const [name, { data }] of tensors) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    const bad = data.findIndex((value: number) => !Number.isFinite(value));
    if (bad >= 0) throw new UserError(`${name} is ${data[bad]} (element ${bad}) after step ${step}`, { remedy });
  }
}
