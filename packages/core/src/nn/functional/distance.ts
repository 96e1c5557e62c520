// Angles and distances between vectors, and the losses on them.
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { broadcastShapes, normalizeAxis, sameShape } from '../../shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { reduceLosses, requireSame, type ReductionOption } from './reduction.ts';

export interface NormalizeOptions {
  /** 2 unless given. */
  readonly p?: number;
  /** 1 unless given. */
  readonly axis?: number;
  /** Norms below count as this: 1e-12 unless given. */
  readonly eps?: number;
}

/** Vectors along an axis divided by their p-norm. */
export function normalize(x: Tensor, { p = 2, axis = 1, eps = 1e-12 }: NormalizeOptions = {}): Tensor {
  return x.div(x.norm(p, normalizeAxis(axis, x.ndim, describe('normalize')), { keepdim: true }).maximum(eps));
}

/** max(x, least), with the gradient of x: where PyTorch keeps denominators away from 0. */
function atLeast(x: Tensor, least: number): Tensor {
  return x.add(x.maximum(least).sub(x).detach());
}

/** a · b / (‖a‖ ‖b‖) along an axis (1), which goes; shapes broadcast. Norms below `eps` (1e-8) count as `eps`. */
export function cosineSimilarity(a: Tensor, b: Tensor, options: { readonly axis?: number; readonly eps?: number } = {}): Tensor {
  const { axis = 1, eps = 1e-8 } = options;
  const rank = Math.max(a.ndim, b.ndim);
  const at = normalizeAxis(axis, rank, describe('cosineSimilarity')) - rank;
  broadcastShapes(a.shape, b.shape, describe('cosineSimilarity'));
  const unit = (x: Tensor): Tensor => x.div(atLeast(x.norm(2, at, { keepdim: true }), eps));
  return unit(a).mul(unit(b)).sum(at);
}

export interface DistanceOptions {
  /** 2 unless given. */
  readonly p?: number;
  /** Added to the differences: 1e-6 unless given. */
  readonly eps?: number;
  readonly keepdim?: boolean;
}

/** ‖a − b + ε‖ₚ along the last axis, which goes. */
export function pairwiseDistance(a: Tensor, b: Tensor, { p = 2, eps = 1e-6, keepdim = false }: DistanceOptions = {}): Tensor {
  broadcastShapes(a.shape, b.shape, describe('pairwiseDistance'));
  return a.sub(b).add(eps).norm(p, -1, { keepdim });
}

export interface CosineEmbeddingOptions extends ReductionOption {
  /** 0 unless given. */
  readonly margin?: number;
}

/** 1 − cos(a, b) where the target is 1, max(0, cos(a, b) − margin) where it is −1. a, b [N, D] or [D], target [N] or []. */
export function cosineEmbeddingLoss(a: Tensor, b: Tensor, target: Tensor, options: CosineEmbeddingOptions = {}): Tensor {
  const what = 'cosineEmbeddingLoss';
  requireSame(a, b, what);
  if (!sameShape(target.shape, a.shape.slice(0, -1)) || a.ndim > 2) {
    throw new ShapeError(`${describe(what)}: inputs ${formatShape(a.shape)} and target ${formatShape(target.shape)} do not fit`, { remedy: 'inputs are [N, D] and targets [N], or [D] and []' });
  }
  const { margin = 0, ...rest } = options;
  const eps = 1e-12;
  const lengths = a.square().sum(-1).add(eps).mul(b.square().sum(-1).add(eps)).sqrt();
  const cosine = a.mul(b).sum(-1).div(lengths);
  const alike = cosine.rsub(1).where(target.eq(1), 0);
  return reduceLosses(alike.add(cosine.sub(margin).relu().where(target.eq(-1), 0)), rest);
}

export interface TripletOptions extends ReductionOption {
  /** 1 unless given. */
  readonly margin?: number;
  /** 2 unless given. */
  readonly p?: number;
  /** 1e-6 unless given. */
  readonly eps?: number;
  /** Use the distance from positive to negative where it is smaller than that from the anchor (Balntas et al. 2016). */
  readonly swap?: boolean;
}

/** max(0, d(anchor, positive) − d(anchor, negative) + margin), for vectors along the last axis. */
export function tripletMarginLoss(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletOptions = {}): Tensor {
  requireSame(anchor, positive, 'tripletMarginLoss');
  requireSame(anchor, negative, 'tripletMarginLoss');
  const { margin = 1, p = 2, eps = 1e-6, swap = false, ...rest } = options;
  const near = pairwiseDistance(anchor, positive, { p, eps });
  const far = pairwiseDistance(anchor, negative, { p, eps });
  const farthest = swap ? far.minimum(pairwiseDistance(positive, negative, { p, eps })) : far;
  return reduceLosses(near.sub(farthest).add(margin).relu(), rest);
}
