// Batch statistics beyond one batch: Cross-Iteration BN (Yao et al. 2020, arXiv 2002.05712) looks back over iterations and
// corrects for how the weights have moved since; CmBN (YOLOv4; Bochkovskiy, Wang & Liao 2020, arXiv 2004.10934) adds up
// the mini-batches between two optimiser steps.
import { UserError, grad, type Tensor } from '@athanor/core';
import { Buffer } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { normalize } from '../framework/normalize.ts';
import { inverseScale, responseOf } from '../framework/statistics.ts';
import { computeWith, type WeightedLayer } from '../weights/layer.ts';
import { BatchNorm, type RunningOptions } from './batch.ts';

const kept = { keepdim: true };

/** Mean and mean square of each channel, size 1 along the others. */
function rawMoments(x: Tensor): { mean: Tensor; square: Tensor; axes: number[] } {
  const axes = spanAxes('batch', layoutOf(x));
  const mean = x.mean(axes, kept);
  return { mean, square: x.sub(mean).square().mean(axes, kept).add(mean.square()), axes };
}

export interface CrossMiniBatchOptions extends RunningOptions {
  /** Mini-batches in a batch, after which a new one begins; without it the trainer calls `startBatch`. */
  readonly miniBatches?: number;
  /**
   * `exact` (default): the current mini-batch makes up 1/i of the statistics; `darknet`: as if it made up all of them,
   * which is what YOLOv4's code does.
   */
  readonly backward?: 'exact' | 'darknet';
}

/**
 * CmBN: statistics of mini-batches 1 … i of the same batch, for weights that stand still between them.
 */
export class CrossMiniBatchNorm extends BatchNorm {
  /** Means and mean squares of the batch so far, and how many mini-batches they are of. */
  readonly windowMean: Buffer;
  readonly windowSquare: Buffer;
  readonly windowCount: Buffer;

  readonly miniBatches: number;
  readonly backward: 'exact' | 'darknet';

  constructor(features: number, options: CrossMiniBatchOptions = {}) {
    super(features, options);
    const { dtype = 'float32', miniBatches = Infinity, backward = 'exact' } = options;
    this.miniBatches = miniBatches;
    this.backward = backward;
    this.windowMean = new Buffer({ shape: [features], dtype });
    this.windowSquare = new Buffer({ shape: [features], dtype });
    this.windowCount = new Buffer({ shape: [], dtype });
  }

  /** Forgets the mini-batches seen so far: the next one begins a batch. */
  startBatch(): void {
    this.windowCount.assign(0);
  }

  override forward(x: Tensor): Tensor {
    if (!this.training) return super.forward(x);
    this.requireChannels(x);
    const own = rawMoments(x);
    const before = this.windowCount.value;
    const count = before.mul(before.lt(this.miniBatches).to(before.dtype)).add(1);
    const share = count.reciprocal();
    const mixed = (window: Buffer, fresh: Tensor): Tensor => perChannel(window.value, x).detach().lerp(fresh, share);
    const [mean, square] = [mixed(this.windowMean, own.mean), mixed(this.windowSquare, own.square)];
    this.windowMean.assign(mean.detach().reshape(this.features));
    this.windowSquare.assign(square.detach().reshape(this.features));
    this.windowCount.assign(count);
    const variance = square.sub(mean.square()).maximum(0);
    if (this.runningMean !== undefined && this.runningVar !== undefined) this.observe([[this.runningMean, mean], [this.runningVar, variance]]);
    const { eps, placement } = this;
    const inverse = inverseScale(variance, eps, placement);
    const response = responseOf(variance, inverse, eps, placement);
    return normalize(x, { axes: own.axes, mean, variance, inverse, share: this.backward === 'exact' ? share : 1, response }, this.affine(x));
  }
}

export interface CrossIterationOptions extends RunningOptions {
  /** Iterations in the window, the current one included; 4 unless given. */
  readonly window?: number;
  /** Training forwards before the window opens; 0 unless given. */
  readonly burnIn?: number;
  /** Correct old statistics for the change of the weights (default); without it they are used as they were. */
  readonly compensate?: boolean;
}

/** What is kept of one past iteration. */
interface Past {
  readonly mean: Buffer;
  readonly square: Buffer;
  /** d mean / d w and d square / d w of each output's own weights, and those weights. */
  readonly meanSlope: Buffer;
  readonly squareSlope: Buffer;
  readonly weight: Buffer;
}

/**
 * Cross-iteration batch normalization around the layer whose outputs it normalises: statistics of the last iterations,
 * each moved to first order along w(t) − w(t − j) with its derivative by this layer's weights.
 */
export class CrossIterationBatchNorm extends BatchNorm {
  readonly layer: WeightedLayer;
  readonly burnIn: number;
  readonly compensate: boolean;
  /** Most recent first. */
  readonly past: readonly Past[];
  /** Training forwards so far. */
  readonly iterations: Buffer;

  constructor(layer: WeightedLayer, options: CrossIterationOptions = {}) {
    const { window = 4, burnIn = 0, compensate = true } = options;
    const { shape, dtype } = layer.weight;
    const [features = 0] = shape;
    super(features, { ...options, dtype });
    if (!Number.isInteger(window) || window < 1) throw new UserError(`CrossIterationBatchNorm: a window of ${window}`, { remedy: 'give a whole number from 1' });
    this.layer = layer;
    this.burnIn = burnIn;
    this.compensate = compensate;
    const perFeature = (): Buffer => new Buffer({ shape: [features], dtype });
    const perWeight = (): Buffer => new Buffer({ shape, dtype });
    this.past = Array.from({ length: window - 1 }, () => ({
      mean: perFeature(),
      square: perFeature(),
      meanSlope: perWeight(),
      squareSlope: perWeight(),
      weight: perWeight(),
    }));
    this.iterations = new Buffer({ shape: [], dtype });
  }

  override get plainInEvaluation(): boolean {
    return false;
  }

  /** Takes the layer's input. */
  override forward(x: Tensor): Tensor {
    const weight = this.layer.weight.value;
    const z = computeWith(this.layer, x, weight, this.layer.bias?.value);
    if (!this.training) return super.forward(z);
    const own = rawMoments(z);
    const seen = this.iterations.value;
    const open = seen.ge(this.burnIn).to(seen.dtype);
    // Past iterations that there are already: the j-th one counts once more than j have been seen and the window is open.
    const counts = this.past.map((_, j) => seen.gt(j).to(seen.dtype).mul(open));
    const share = counts.reduce((sum, count) => sum.add(count), open.mul(0).add(1)).reciprocal();
    const earlier = this.past.map((past) => this.estimate(past, weight.detach()));
    const averaged = (fresh: Tensor, pick: (estimate: { mean: Tensor; square: Tensor }) => Tensor): Tensor =>
      earlier.reduce((sum, estimate, j) => sum.add(perChannel(pick(estimate), z).mul(counts[j] ?? 0)), fresh).mul(share);
    const mean = averaged(own.mean, (estimate) => estimate.mean);
    const square = averaged(own.square, (estimate) => estimate.square);
    const variance = square.sub(mean.square()).maximum(0);
    this.#remember(own, weight);
    const { eps, placement } = this;
    const inverse = inverseScale(variance, eps, placement);
    const response = responseOf(variance, inverse, eps, placement);
    return normalize(z, { axes: own.axes, mean, variance, inverse, share, response }, this.affine(z));
  }

  /** Statistics of a past iteration at other weights: m + ⟨dm/dw, w − w_past⟩, and the mean square at least the mean's square. */
  estimate(past: Past, weight: Tensor): { mean: Tensor; square: Tensor } {
    const axes = weight.shape.flatMap((_, axis) => (axis === 0 ? [] : [axis]));
    const step = weight.sub(past.weight.value);
    const moved = (value: Buffer, slope: Buffer): Tensor => (this.compensate ? value.value.add(slope.value.mul(step).sum(axes)) : value.value);
    const mean = moved(past.mean, past.meanSlope);
    return { mean, square: moved(past.square, past.squareSlope).maximum(mean.square()) };
  }

  /** Shifts the past by one and puts this iteration first; the running statistics move towards this batch's. */
  #remember(own: { mean: Tensor; square: Tensor }, weight: Tensor): void {
    const { past, features, runningMean, runningVar } = this;
    for (let j = past.length - 1; j > 0; j--) {
      const [older, newer] = [past[j], past[j - 1]];
      if (older === undefined || newer === undefined) continue;
      for (const name of ['mean', 'square', 'meanSlope', 'squareSlope', 'weight'] as const) older[name].assign(newer[name].value);
    }
    const [latest] = past;
    if (latest !== undefined) {
      const [meanSlope = weight] = grad(own.mean.sum(), [weight]);
      const [squareSlope = weight] = grad(own.square.sum(), [weight]);
      latest.mean.assign(own.mean.detach().reshape(features));
      latest.square.assign(own.square.detach().reshape(features));
      latest.meanSlope.assign(meanSlope.detach());
      latest.squareSlope.assign(squareSlope.detach());
      latest.weight.assign(weight.detach());
    }
    this.iterations.assign(this.iterations.value.add(1));
    if (runningMean !== undefined && runningVar !== undefined) this.observe([[runningMean, own.mean], [runningVar, own.square.sub(own.mean.square())]]);
  }
}
