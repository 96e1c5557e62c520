// Running statistics: exponential averages that move once per training forward.
import type { Tensor } from '@athanor/core';
import type { Buffer } from '@athanor/core/nn';

/** Moves a buffer towards an observation of as many elements: r ← (1 − rate) r + rate · observed. No gradient flows. */
export function moveTowards(running: Buffer, observed: Tensor, rate: number | Tensor): void {
  running.assign(running.value.lerp(observed.reshape(running.shape).detach(), rate));
}
