// Losses with margins, of distances, counts and variances, as layers; and the distances themselves.
import type { Tensor } from '../../tensor/tensor.ts';
import * as distance from '../functional/distance.ts';
import * as margin from '../functional/margin.ts';
import type { ReductionOption } from '../functional/reduction.ts';
import { Module } from '../module.ts';
import { Loss } from './loss-base.ts';

/** `functional.hingeEmbeddingLoss` as a layer. */
/** x where the target is 1, max(0, margin − x) where it is −1. */
export class HingeEmbeddingLoss extends Loss<margin.MarginOption> {
  constructor(options: margin.MarginOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** `functional.marginRankingLoss` as a layer. */
/** max(0, −y (a − b) + margin), for inputs (a, b, y). */
export class MarginRankingLoss extends Loss<margin.MarginOption> {
  constructor(options: margin.MarginOption = {}) {
    super(options);
  }

  override forward(a: Tensor, b: Tensor, target: Tensor): Tensor {
    return margin.marginRankingLoss(a, b, target, this.options);
  }
}

/** `functional.softMarginLoss` as a layer. */
/** log(1 + e^(−y x)), for targets y of ±1. */
export class SoftMarginLoss extends Loss<ReductionOption> {
  constructor(options: ReductionOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.softMarginLoss(input, target, this.options);
  }
}

/** `functional.multiMarginLoss` as a layer. */
/** The hinge of several classes: Σ_{j ≠ y} max(0, margin − x_y + x_j)ᵖ / C. */
export class MultiMarginLoss extends Loss<margin.MultiMarginOptions> {
  constructor(options: margin.MultiMarginOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.multiMarginLoss(input, target, this.options);
  }
}

/** `functional.multilabelMarginLoss` as a layer. */
/** The hinge of several classes, of which the targets list any number. */
export class MultiLabelMarginLoss extends Loss<ReductionOption> {
  constructor(options: ReductionOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.multilabelMarginLoss(input, target, this.options);
  }
}

type WeightedOptions = ReductionOption & { readonly weight?: Tensor };

/** `functional.multilabelSoftMarginLoss` as a layer. */
/** The mean binary cross-entropy of σ(x) over classes. */
export class MultiLabelSoftMarginLoss extends Loss<WeightedOptions> {
  constructor(options: WeightedOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.multilabelSoftMarginLoss(input, target, this.options);
  }
}

/** `functional.cosineEmbeddingLoss` as a layer. */
/** 1 − cos(a, b) where the target is 1, max(0, cos(a, b) − margin) where it is −1. */
export class CosineEmbeddingLoss extends Loss<distance.CosineEmbeddingOptions> {
  constructor(options: distance.CosineEmbeddingOptions = {}) {
    super(options);
  }

  override forward(a: Tensor, b: Tensor, target: Tensor): Tensor {
    return distance.cosineEmbeddingLoss(a, b, target, this.options);
  }
}

/** `functional.tripletMarginLoss` as a layer. */
/** max(0, d(anchor, positive) − d(anchor, negative) + margin). */
export class TripletMarginLoss extends Loss<distance.TripletOptions> {
  constructor(options: distance.TripletOptions = {}) {
    super(options);
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return distance.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** `functional.poissonNllLoss` as a layer. */
/** The negative log-likelihood of counts under Poisson rates. */
export class PoissonNLLLoss extends Loss<margin.PoissonOptions> {
  constructor(options: margin.PoissonOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.poissonNllLoss(input, target, this.options);
  }
}

/** `functional.gaussianNllLoss` as a layer. */
/** (log v + (x − y)² / v) / 2, for inputs (x, y, v). */
export class GaussianNLLLoss extends Loss<margin.GaussianOptions> {
  constructor(options: margin.GaussianOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return margin.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** The cosine of the angle between vectors along an axis (1). */
export class CosineSimilarity extends Module {
  readonly options: { readonly axis?: number; readonly eps?: number };

  constructor(options: { readonly axis?: number; readonly eps?: number } = {}) {
    super();
    this.options = options;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return distance.cosineSimilarity(a, b, this.options);
  }
}

/** ‖a − b + ε‖ₚ along the last axis. */
export class PairwiseDistance extends Module {
  readonly options: distance.DistanceOptions;

  constructor(options: distance.DistanceOptions = {}) {
    super();
    this.options = options;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return distance.pairwiseDistance(a, b, this.options);
  }
}
