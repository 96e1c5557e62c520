// Running statistics: averages over training batches that move once per training forward.
import { UserError, type Tensor } from '@athanor/core';
import { Buffer } from '@athanor/core/nn';
import { Norm, type NormOptions, type PlacementOption } from './norm.ts';

/** Moves a buffer towards an observation of as many elements: r ← (1 − rate) r + rate · observed. No gradient flows. */
function moveTowards(running: Buffer, observed: Tensor, rate: number | Tensor): void {
  running.assign(running.value.lerp(observed.reshape(running.shape).detach(), rate));
}

export interface MomentumOption {
  /** Weight of the new batch in the running statistics, as in PyTorch; null: the mean over all batches so far. */
  readonly momentum?: number | null;
}

export abstract class RunningNorm extends Norm {
  /** Weight of the new batch; null: the mean over all. Functions compiled before a change keep the old one. */
  momentum: number | null;
  /** Batches seen; only where the running statistics are plain means. */
  readonly numBatchesTracked: Buffer | undefined;

  constructor(features: number, options: NormOptions & PlacementOption & MomentumOption & { readonly eps: number; readonly scale?: boolean; readonly gain?: number }) {
    super(features, options);
    const { momentum = 0.1 } = options;
    if (momentum !== null && !(momentum >= 0 && momentum <= 1)) {
      throw new UserError(`${this.constructor.name}: momentum is ${momentum}`, { remedy: 'give the weight of the new batch, between 0 and 1' });
    }
    this.momentum = momentum;
    this.numBatchesTracked = momentum === null ? new Buffer({ shape: [], dtype: 'int32' }) : undefined;
  }

  /** Moves buffers towards what a batch showed. Once per forward. */
  protected observe(pairs: readonly (readonly [running: Buffer, observed: Tensor])[]): void {
    const rate = this.#rate(pairs[0]?.[0].dtype ?? 'float32');
    for (const [running, observed] of pairs) moveTowards(running, observed, rate);
  }

  #rate(dtype: Buffer['dtype']): number | Tensor {
    const { momentum, numBatchesTracked } = this;
    if (momentum !== null) return momentum;
    if (numBatchesTracked === undefined) throw new UserError(`${this.constructor.name}: a mean over all batches needs momentum: null from the start`);
    const count = numBatchesTracked.value.add(1);
    numBatchesTracked.assign(count);
    return count.to(dtype).reciprocal();
  }
}
