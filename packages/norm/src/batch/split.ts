// Split batch normalization (Xie et al. 2020, "Adversarial examples improve image recognition", arXiv 1911.09665): parts of
// a batch from different sources (clean images, attacked ones) have normalizations of their own.
import { ShapeError, UserError, cat, formatShape, type Tensor } from '@athanor/core';
import { Module } from '@athanor/core/nn';
import { requireFeatures } from '../framework/norm.ts';
import { BatchNorm, type RunningOptions } from './batch.ts';

export interface SplitOptions extends RunningOptions {
  /** Parts of equal size that a training batch consists of; 2 unless given. */
  readonly splits?: number;
}

/** The i-th part of a training batch goes through the i-th batch normalization; evaluation goes through the first. */
export class SplitBatchNorm extends Module {
  readonly features: number;
  /** The first is that of evaluation. */
  readonly norms: readonly BatchNorm[];

  constructor(features: number, options: SplitOptions = {}) {
    super();
    requireFeatures(features);
    const { splits = 2 } = options;
    if (!Number.isInteger(splits) || splits < 1) throw new UserError(`SplitBatchNorm: ${splits} parts`, { remedy: 'give a whole number from 1' });
    this.features = features;
    this.norms = Array.from({ length: splits }, () => new BatchNorm(features, options));
  }

  override forward(x: Tensor): Tensor {
    const { norms } = this;
    if (!this.training) return norms[0]?.forward(x) ?? x;
    const [batch = 0] = x.shape;
    if (batch % norms.length !== 0) throw new ShapeError(`SplitBatchNorm: ${formatShape(x.shape)} does not split into ${norms.length} parts`, { remedy: 'give a batch of equal parts' });
    return cat(x.chunk(norms.length, 0).map((part, i) => norms[i]?.forward(part) ?? part));
  }
}
