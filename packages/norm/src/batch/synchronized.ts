// Synchronized batch normalization (MegDet; Peng et al. 2018, arXiv 1711.07240): replicas normalise their parts of a batch
// by the statistics of the whole.
import { ShapeError, UserError, allReduce, cat, formatShape, replicas as processes, type Tensor } from '@athanor/core';
import { layoutOf, spanAxes } from '../framework/layout.ts';
import { scaleAndShift } from '../framework/normalize.ts';
import { countOf, inverseScale } from '../framework/statistics.ts';
import { BatchNorm, type RunningOptions } from './batch.ts';

/** Mean and (biased) variance of a part, and how many values made them. */
export interface Moments {
  readonly count: number;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** The moments of the union: μ = Σ nₖ μₖ / N, v = Σ nₖ (vₖ + (μₖ − μ)²) / N. Exact, without differences of squares. */
export function mergeMoments(parts: readonly Moments[]): Moments {
  const present = parts.filter(({ count }) => count > 0);
  const [first] = present;
  const count = present.reduce((sum, part) => sum + part.count, 0);
  if (first === undefined) throw new UserError('mergeMoments: no part has a value');
  const weighted = (pick: (part: Moments) => Tensor): Tensor =>
    present.map((part) => pick(part).mul(part.count / count)).reduce((sum, part) => sum.add(part));
  const mean = weighted((part) => part.mean);
  return { count, mean, variance: weighted((part) => part.variance.add(part.mean.sub(mean).square())) };
}

/**
 * How replicas learn each other's moments: from those of the replicas in this process to those of all, whose gradient must
 * come back to each replica as the sum over all that read it. Inside one process nothing has to travel.
 */
export type MomentTransport = (local: readonly Moments[]) => readonly Moments[];

/** Over the processes that train together (`setCollective`) on parts of equal sizes; what came in where there is one process. */
export function overProcesses(local: readonly Moments[]): readonly Moments[] {
  const { size } = processes();
  if (size === 1) return local;
  const { count, mean, variance } = mergeMoments(local);
  const whole = allReduce(mean).mul(1 / size);
  const spread = variance.add(mean.sub(whole).square());
  return [{ count: count * size, mean: whole, variance: allReduce(spread).mul(1 / size) }];
}

export interface SyncOptions extends RunningOptions {
  /** Replicas in this process that `forward` splits a training batch among, as evenly as it goes; 1 unless given. */
  readonly replicas?: number;
  /** Replicas in other processes; `overProcesses` unless given. */
  readonly transport?: MomentTransport;
}

/**
 * Batch normalization over replicas inside one process: `forwardAll` takes their parts of the batch, of any sizes. What
 * travels between replicas is a count and two values per channel forward, and two sums per channel backward: the
 * gradients of the merged mean and scale. A single part
 * is plain batch normalization.
 */
export class SyncBatchNorm extends BatchNorm {
  readonly replicas: number;
  readonly transport: MomentTransport;

  constructor(features: number, options: SyncOptions = {}) {
    super(features, options);
    const { replicas = 1, transport = overProcesses } = options;
    if (!Number.isInteger(replicas) || replicas < 1) throw new UserError(`SyncBatchNorm: ${replicas} replicas`, { remedy: 'give a whole number from 1' });
    this.replicas = replicas;
    this.transport = transport;
  }

  override forward(x: Tensor): Tensor {
    return this.training ? cat(this.forwardAll(this.replicas === 1 ? [x] : x.chunk(this.replicas, 0))) : super.forward(x);
  }

  /** Normalises all parts of a batch with the statistics of the whole. */
  forwardAll(parts: readonly Tensor[]): Tensor[] {
    for (const part of parts) this.requireChannels(part);
    if (!this.training) return parts.map((part) => super.forward(part));
    const kept = { keepdim: true };
    const merged = mergeMoments(this.transport(
      parts.map((part) => {
        const axes = spanAxes('batch', layoutOf(part));
        const mean = part.mean(axes, kept);
        return { count: countOf(part, axes), mean, variance: part.sub(mean).square().mean(axes, kept) };
      }),
    ));
    if (merged.count < 2) throw new ShapeError(`SyncBatchNorm: parts ${parts.map(({ shape }) => formatShape(shape)).join(' ')} hold one value per channel`);
    const { mean, variance, count } = merged;
    const inverse = inverseScale(variance, this.eps, this.placement);
    this.track({ axes: [], mean, variance, inverse, share: 1, response: 1 }, count);
    return parts.map((part) => scaleAndShift(part.sub(mean).mul(inverse), this.affine(part)));
  }
}
