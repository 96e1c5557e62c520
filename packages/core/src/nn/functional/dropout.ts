// Dropout: random zeros in training (Srivastava et al. 2014).
import { UserError } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { random } from '../../random/stream.ts';
import type { Shape } from '../../shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export interface DropoutOptions {
  /** The share that becomes 0: 0.5 unless given. */
  readonly p?: number;
  /** false leaves everything as it is. */
  readonly training?: boolean;
  /** Stream of random numbers: "dropout" unless given. */
  readonly stream?: string;
}

/** Zeros a share p and scales the rest by 1 / (1 − p). One draw per element of `shape`, which broadcasts to x. */
function drop(x: Tensor, shape: Shape, { p = 0.5, training = true, stream = 'dropout' }: DropoutOptions): Tensor {
  if (!(p >= 0 && p <= 1)) throw new UserError(`${describe('dropout')}: p is ${p}`, { remedy: 'give a share from 0 to 1' });
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const kept = random.stream(stream).bernoulli(1 - p, shape);
  return x.mul(1 / (1 - p)).where(kept, 0);
}

/** Drops single elements. */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(x, x.shape, options);
}

/** Drops whole channels of [N, C, …] (Tompson et al. 2015). */
export function channelDropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(x, x.shape.map((size, axis) => (axis < 2 ? size : 1)), options);
}
