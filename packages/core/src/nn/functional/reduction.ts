// What losses share: how the losses of elements become one number, and that shapes must be equal.
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { sameShape } from '../../shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export interface ReductionOption {
  /** What becomes of the elements' losses: `mean` unless given. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/** The losses as they are, their sum, or their mean. */
export function reduceLosses(losses: Tensor, options: ReductionOption): Tensor {
  switch (options.reduction ?? 'mean') {
    case 'mean':
      return losses.mean();
    case 'sum':
      return losses.sum();
    case 'none':
      return losses;
  }
}

/** Losses do not broadcast: an error unless the shapes are equal. */
export function requireSame(input: Tensor, target: Tensor, what: string): void {
  if (sameShape(input.shape, target.shape)) return;
  throw new ShapeError(`${describe(what)}: input ${formatShape(input.shape)} and target ${formatShape(target.shape)} differ`, {
    remedy: 'reshape one of them; losses do not broadcast',
  });
}
