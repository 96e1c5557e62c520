// Dropout: random zeros in training (Srivastava et al. 2014).
import { UserError } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { replicas } from '../../kernel/collective.ts';
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

/** Throws a UserError unless p is a share. */
export function requireShare(p: number, what: string): void {
  if (!(p >= 0 && p <= 1)) throw new UserError(`${describe(what)}: p is ${p}`, { remedy: 'give a share from 0 to 1' });
}

/**
 * true for each element that stays. One of several replicas draws for the whole batch, which its own part of the first
 * axis is a part of: together they drop what one process would.
 */
function kept(shape: Shape, p: number, stream: string): Tensor {
  const { size, rank } = replicas();
  const [own = 1, ...rest] = shape;
  const draws = random.stream(stream);
  if (size === 1 || shape.length === 0) return draws.bernoulli(1 - p, shape);
  return draws.bernoulli(1 - p, [size * own, ...rest]).slice(0, rank * own, (rank + 1) * own);
}

/** Zeros a share p and scales the rest by 1 / (1 − p). One draw per element of `shape`, which broadcasts to x. */
function drop(x: Tensor, shape: Shape, { p = 0.5, training = true, stream = 'dropout' }: DropoutOptions): Tensor {
  requireShare(p, 'dropout');
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  return x.mul(1 / (1 - p)).where(kept(shape, p, stream), 0);
}

/** Drops single elements. */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(x, x.shape, options);
}

/** Drops whole channels of [N, C, …] (Tompson et al. 2015). */
export function channelDropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(x, x.shape.map((size, axis) => (axis < 2 ? size : 1)), options);
}

/** α′ = −λα of SELU: what dropped elements become before the affine map that restores mean and variance. */
const dropped = -1.7580993408473766;

/** Dropout that keeps mean 0 and variance 1 (Klambauer et al. 2017): elements become α′ with probability p. */
export function alphaDropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  const { p = 0.5, training = true, stream = 'dropout' } = options;
  requireShare(p, 'alphaDropout');
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const a = 1 / Math.sqrt((1 + p * dropped ** 2) * (1 - p));
  return x.where(kept(x.shape, p, stream), dropped).mul(a).sub(a * p * dropped);
}
