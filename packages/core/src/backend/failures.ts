// Failures that every backend reports in the same words.
import { UserError } from '../errors.ts';

/** A gather or scatterAdd met an index outside of its axis. */
export function indexOutOfRange(): UserError {
  return new UserError('an index of gather or scatterAdd was out of range', {
    remedy: 'check labels and indices against the size of the axis',
  });
}
