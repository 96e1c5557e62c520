// Whitening: channels of mean 0 and covariance 1, what the statistics of single channels only approximate. Decorrelated
// batch normalization (Huang et al. 2018, arXiv 1804.08450) takes the exact inverse root of the covariance, iterative
// normalization (Huang et al. 2019, arXiv 1904.03441) a few Newton steps towards it.
import { UserError, eigh, eye, withGradient, type Dtype, type Tensor } from '@athanor/core';
import { Buffer } from '@athanor/core/nn';
import { layoutOf } from '../framework/layout.ts';
import type { NormOptions } from '../framework/norm.ts';
import { scaleAndShift } from '../framework/normalize.ts';
import { RunningNorm, type MomentumOption } from '../framework/running.ts';

/** Uᵀ S U of a symmetric matrix is diag(λ): ZCA whitening, S^(−½) = U diag(λ^(−½)) Uᵀ, symmetric. */
export function inverseSquareRoot(covariance: Tensor): Tensor {
  const { values, vectors } = eigh(covariance);
  const roots = values.sqrt().unsqueeze(-2);
  const inverse = vectors.div(roots).matmul(vectors.T);
  // dS = U (F ∘ sym(Uᵀ dW U)) Uᵀ with the divided differences F of λ^(−½), which equal eigenvalues leave finite.
  return withGradient(inverse, [covariance], (dW) => {
    const projected = vectors.T.matmul(dW).matmul(vectors);
    const differences = roots.mul(roots.T).mul(roots.add(roots.T)).reciprocal().neg();
    const inner = projected.add(projected.T).mul(0.5).mul(differences);
    return [vectors.matmul(inner).matmul(vectors.T)];
  });
}

/** PCA whitening, diag(λ^(−½)) Uᵀ: its axes may swap from batch to batch. */
export function principalWhitening(covariance: Tensor): Tensor {
  const { values, vectors } = eigh(covariance);
  return vectors.div(values.sqrt().unsqueeze(-2)).T;
}

/**
 * Newton-Schulz iterations towards S^(−½), in the coupled form, which stays stable for any number of steps:
 * Y₀ = S / tr S, Z₀ = 1; M = (3 − Z Y) / 2, Y ← Y M, Z ← M Z; then Z / √tr S.
 */
export function newtonInverseSquareRoot(covariance: Tensor, iterations: number): Tensor {
  const identity = identityLike(covariance);
  const trace = covariance.mul(identity).sum([-2, -1], { keepdim: true });
  let y = covariance.div(trace);
  let z = identity.expandAs(covariance);
  for (let i = 0; i < iterations; i++) {
    const step = identity.mul(3).sub(z.matmul(y)).mul(0.5);
    y = y.matmul(step);
    z = step.matmul(z);
  }
  return z.div(trace.sqrt());
}

function identityLike(matrices: Tensor): Tensor {
  const size = matrices.shape.at(-1) ?? 0;
  return eye(size, size, { dtype: matrices.dtype });
}

export interface WhiteningOptions extends NormOptions, MomentumOption {
  /** Channels that are whitened together; the largest divisor up to 64 unless given. */
  readonly groupSize?: number;
}

function largestDivisor(count: number, most: number): number {
  let divisor = Math.min(count, most);
  while (count % divisor !== 0) divisor -= 1;
  return divisor;
}

function identities(groups: number, size: number, dtype: Dtype): () => Float32Array | Float64Array {
  return () => {
    const values = dtype === 'float64' ? new Float64Array(groups * size * size) : new Float32Array(groups * size * size);
    return values.map((_, i) => ((i % (size * size)) % (size + 1) === 0 ? 1 : 0));
  };
}

/**
 * Statistics of groups of channels over the batch in training; the running mean and the running covariance (biased), which
 * is whitened anew, in evaluation.
 */
abstract class Whitening extends RunningNorm {
  readonly groupSize: number;
  readonly runningMean: Buffer;
  /** [groups, size, size] */
  readonly runningCovariance: Buffer;

  constructor(features: number, options: WhiteningOptions) {
    const { eps = 1e-5, groupSize = largestDivisor(features, 64), dtype = 'float32' } = options;
    super(features, { ...options, eps });
    if (features % groupSize !== 0) {
      throw new UserError(`${this.constructor.name}: ${features} channels do not split into groups of ${groupSize}`, { remedy: `choose a divisor of ${features}` });
    }
    const groups = features / groupSize;
    this.groupSize = groupSize;
    this.runningMean = new Buffer({ shape: [features], dtype });
    this.runningCovariance = new Buffer({ shape: [groups, groupSize, groupSize], dtype, initial: identities(groups, groupSize, dtype) });
  }

  /** W with W S Wᵀ = 1, or near it, for covariances [groups, size, size]. */
  protected abstract matrix(covariance: Tensor): Tensor;

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const { groupSize, runningMean, runningCovariance, eps, features } = this;
    const groups = features / groupSize;
    const first = x.movedim(layoutOf(x).channel, 0);
    const rows = first.reshape(groups, groupSize, -1);
    const samples = rows.shape[2] ?? 1;
    const mean = this.training ? rows.mean(2, { keepdim: true }) : runningMean.value.reshape(groups, groupSize, 1);
    const centred = rows.sub(mean);
    const covariance = this.training ? centred.matmul(centred.T).mul(1 / samples) : runningCovariance.value;
    if (this.training) this.observe([[runningMean, mean], [runningCovariance, covariance]]);
    const white = this.matrix(covariance.add(identityLike(covariance).mul(eps))).matmul(centred);
    const y = white.reshape(first.shape).movedim(0, layoutOf(x).channel);
    return scaleAndShift(y, this.affine(x));
  }
}

/** Decorrelated batch normalization. ZCA keeps each channel's identity; PCA is there to compare with. */
export class DecorrelatedBatchNorm extends Whitening {
  readonly method: 'zca' | 'pca';

  constructor(features: number, options: WhiteningOptions & { readonly method?: 'zca' | 'pca' } = {}) {
    super(features, options);
    this.method = options.method ?? 'zca';
  }

  protected override matrix(covariance: Tensor): Tensor {
    return this.method === 'zca' ? inverseSquareRoot(covariance) : principalWhitening(covariance);
  }
}

/** Iterative normalization: five Newton steps whiten in part, which is wanted; 14 to 20 whiten wholly. */
export class IterNorm extends Whitening {
  readonly iterations: number;

  constructor(features: number, options: WhiteningOptions & { readonly iterations?: number } = {}) {
    super(features, options);
    this.iterations = options.iterations ?? 5;
  }

  protected override matrix(covariance: Tensor): Tensor {
    return newtonInverseSquareRoot(covariance, this.iterations);
  }
}
