// What losses share: how the losses of elements become one number, and that shapes must be equal.
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { broadcastShapes, sameShape } from '../../shape.ts';
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

/** Losses times weights that broadcast to them. */
export function weightLosses(losses: Tensor, weight: Tensor | undefined, what: string): Tensor {
  if (weight === undefined) return losses;
  if (!sameShape(broadcastShapes(losses.shape, weight.shape, describe(`${what} weight`)), losses.shape)) {
    throw new ShapeError(`${describe(what)}: weight ${formatShape(weight.shape)} does not broadcast to the losses' ${formatShape(losses.shape)}`);
  }
  return losses.mul(weight);
}

/** One weight per class: an error for any other number. */
export function requireClassWeights(weight: Tensor | undefined, classes: number, what: string): void {
  if (weight === undefined || (weight.ndim === 1 && weight.size === classes)) return;
  throw new ShapeError(`${describe(what)}: weight ${formatShape(weight.shape)} for ${classes} classes`, { remedy: 'give one weight per class' });
}

/** Losses do not broadcast: an error unless the shapes are equal. */
export function requireSame(input: Tensor, target: Tensor, what: string): void {
  if (sameShape(input.shape, target.shape)) return;
  throw new ShapeError(`${describe(what)}: input ${formatShape(input.shape)} and target ${formatShape(target.shape)} differ`, {
    remedy: 'reshape one of them; losses do not broadcast',
  });
}
