// Batch renormalization (Ioffe 2017, arXiv 1702.03275): training normalises by the batch and then corrects towards the
// running statistics, x̂ = (x − μ_B)/σ_B · r + d, so that it nearly computes what evaluation will.
import type { Tensor } from '@athanor/core';
import { Buffer } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { filled, type NormOptions } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { RunningNorm, type MomentumOption } from '../framework/running.ts';
import { statisticsOf } from '../framework/statistics.ts';

export interface BatchRenormOptions extends NormOptions, MomentumOption {
  /** Largest r, and 1/r: 3 unless given. */
  readonly rMax?: number;
  /** Largest |d|: 5 unless given. */
  readonly dMax?: number;
  /** Training steps of plain batch normalization (r = 1, d = 0) before the limits open; 0 unless given. */
  readonly warmup?: number;
  /** Steps after the warm-up until r may reach rMax; 0 unless given. The paper: 5,000 steps, then 35,000. */
  readonly rRamp?: number;
  /** Steps after the warm-up until d may reach dMax; 0 unless given. The paper: 20,000. */
  readonly dRamp?: number;
}

/** The paper's schedule, as shares of a training: plain batch normalization for 10 %, d open at 50 % and r at 80 %. */
export function renormSchedule(totalSteps: number): { readonly warmup: number; readonly rRamp: number; readonly dRamp: number } {
  const warmup = Math.round(0.1 * totalSteps);
  return { warmup, rRamp: Math.round(0.8 * totalSteps) - warmup, dRamp: Math.round(0.5 * totalSteps) - warmup };
}

/** The running statistics move slowly: momentum is 0.01 unless given. */
export class BatchRenorm extends RunningNorm {
  readonly limits: { readonly rMax: number; readonly dMax: number; readonly warmup: number; readonly rRamp: number; readonly dRamp: number };
  readonly runningMean: Buffer;
  /** The running standard deviation, not the variance. */
  readonly runningStd: Buffer;
  /** Training steps so far. */
  readonly steps: Buffer;

  constructor(features: number, options: BatchRenormOptions = {}) {
    const { eps = 1e-5, momentum = 0.01, rMax = 3, dMax = 5, warmup = 0, rRamp = 0, dRamp = 0, dtype = 'float32' } = options;
    super(features, { ...options, eps, momentum });
    this.limits = { rMax, dMax, warmup, rRamp, dRamp };
    this.runningMean = new Buffer({ shape: [features], dtype });
    this.runningStd = new Buffer({ shape: [features], dtype, initial: filled(1, features, dtype) });
    this.steps = new Buffer({ shape: [], dtype });
  }

  /** `mask` (bool, broadcastable over x) tells what is not padding. */
  override forward(x: Tensor, mask?: Tensor): Tensor {
    this.requireChannels(x);
    const { weight, bias } = this.affine(x);
    const [mean, std] = [perChannel(this.runningMean.value, x), perChannel(this.runningStd.value, x)];
    if (!this.training) {
      const factor = weight === undefined ? std.reciprocal() : weight.div(std);
      const y = x.sub(mean).mul(factor);
      return bias === undefined ? y : y.add(bias);
    }
    const statistics = statisticsOf(x, { axes: spanAxes('batch', layoutOf(x)), eps: this.eps, mask });
    const [batchMean, batchStd] = [(statistics.mean ?? mean).detach(), statistics.inverse.detach().reciprocal()];
    const { rMax, dMax } = this.#opened();
    const r = batchStd.div(std).clamp(rMax.reciprocal(), rMax);
    const d = batchMean.sub(mean).div(std).clamp(dMax.neg(), dMax);
    this.observe([[this.runningMean, batchMean], [this.runningStd, batchStd]]);
    this.steps.assign(this.steps.value.add(1));
    // γ (x̂ r + d) + β: r and d are constants, so they join the affine part.
    const shift = weight === undefined ? d : weight.mul(d);
    return normalize(x, statistics, { weight: weight === undefined ? r : weight.mul(r), bias: bias === undefined ? shift : shift.add(bias) });
  }

  /** The limits at this step: 1 and 0 during the warm-up, then rising along straight lines. */
  #opened(): { rMax: Tensor; dMax: Tensor } {
    const { rMax, dMax, warmup, rRamp, dRamp } = this.limits;
    const late = this.steps.value.sub(warmup);
    const rise = (ramp: number): Tensor => (ramp === 0 ? late.ge(0).to(late.dtype) : late.mul(1 / ramp).clamp(0, 1));
    return { rMax: rise(rRamp).mul(rMax - 1).add(1), dMax: rise(dRamp).mul(dMax) };
  }
}
