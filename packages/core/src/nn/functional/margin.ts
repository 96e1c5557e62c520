// Losses with margins, and losses of counts and of predicted variances, with PyTorch's names and defaults.
import { ShapeError, UserError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { broadcastShapes, sameShape } from '../../shape.ts';
import { arange } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { logSigmoid } from './activation.ts';
import { reduceLosses, requireClassWeights, requireSame, weightLosses, type ReductionOption } from './reduction.ts';

/** Without its axis of classes, input [N, C] (or [C]) must have the target's shape; `whole` keeps the axis. */
function requireClasses(input: Tensor, target: Tensor, what: string, whole: boolean): void {
  const shape = whole ? input.shape : input.shape.slice(0, -1);
  if ((input.ndim === 1 || input.ndim === 2) && sameShape(target.shape, shape)) return;
  throw new ShapeError(`${describe(what)}: input ${formatShape(input.shape)} and target ${formatShape(target.shape)} do not fit`, {
    remedy: `inputs are [N, C] or [C], targets ${whole ? 'the same' : '[N] or []'}`,
  });
}

export interface MarginOption extends ReductionOption {
  readonly margin?: number;
}

/** x where the target is 1, max(0, margin − x) where it is −1; the margin is 1 unless given. */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, { margin = 1, ...options }: MarginOption = {}): Tensor {
  requireSame(input, target, 'hingeEmbeddingLoss');
  const near = input.where(target.ne(-1), 0);
  return reduceLosses(near.add(input.rsub(margin).relu().where(target.ne(1), 0)), options);
}

/** max(0, −y (a − b) + margin): y = 1 asks that a be larger, y = −1 that b be. The margin is 0 unless given. */
export function marginRankingLoss(a: Tensor, b: Tensor, target: Tensor, { margin = 0, ...options }: MarginOption = {}): Tensor {
  requireSame(a, b, 'marginRankingLoss');
  requireSame(a, target, 'marginRankingLoss');
  return reduceLosses(a.sub(b).mul(target).rsub(margin).relu(), options);
}

/** log(1 + e^(−y x)), for targets y of ±1. */
export function softMarginLoss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  requireSame(input, target, 'softMarginLoss');
  return reduceLosses(logSigmoid(input.mul(target)).neg(), options);
}

export interface MultiMarginOptions extends MarginOption {
  /** Exponent of the hinge, 1 (default) or 2. */
  readonly p?: 1 | 2;
  /** A weight per class. */
  readonly weight?: Tensor;
}

/** Σ_{j ≠ y} max(0, margin − x_y + x_j)ᵖ / C for inputs [N, C] and classes y [N]: the hinge of several classes. The margin is 1. */
export function multiMarginLoss(input: Tensor, target: Tensor, { p = 1, margin = 1, weight, ...options }: MultiMarginOptions = {}): Tensor {
  requireClasses(input, target, 'multiMarginLoss', false);
  if (p !== 1 && p !== 2) throw new UserError(`${describe('multiMarginLoss')}: p is ${String(p)}`, { remedy: 'give 1 or 2' });
  const classes = input.shape.at(-1) ?? 1;
  requireClassWeights(weight, classes, 'multiMarginLoss');
  const hit = target.to('int32').unsqueeze(-1).eq(arange(classes));
  const own = input.where(hit, 0).sum(-1, { keepdim: true });
  const excess = input.sub(own).add(margin).relu().where(hit.not(), 0);
  const hinge = p === 1 ? excess : excess.square();
  const weights = weight?.where(hit, 0).sum(-1, { keepdim: true });
  return reduceLosses((weights === undefined ? hinge : hinge.mul(weights)).sum(-1).mul(1 / classes), options);
}

/**
 * Σ_{j in targets, i not} max(0, 1 − x_j + x_i) / C for inputs [N, C]; targets [N, C] list classes, up to the first
 * negative number.
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  requireClasses(input, target, 'multilabelMarginLoss', true);
  const classes = input.shape.at(-1) ?? 1;
  const listed = target.ge(0).to('int32').cumprod(-1);
  const places = target.to('int32').clamp(0).mul(listed);
  // named[…, i]: whether class i is among the targets.
  const named = places.unsqueeze(-1).eq(arange(classes)).to('int32').mul(listed.unsqueeze(-1)).sum(-2).gt(0);
  const own = input.gather(-1, places).unsqueeze(-1);
  const hinge = input.unsqueeze(-2).sub(own).add(1).relu();
  const counted = hinge.where(named.not().unsqueeze(-2), 0).where(listed.gt(0).unsqueeze(-1), 0);
  return reduceLosses(counted.sum([-2, -1]).mul(1 / classes), options);
}

/** The mean over classes of −y log σ(x) − (1 − y) log σ(−x), for inputs and targets [N, C]. */
export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, { weight, ...options }: ReductionOption & { readonly weight?: Tensor } = {}): Tensor {
  requireSame(input, target, 'multilabelSoftMarginLoss');
  const losses = logSigmoid(input).mul(target).add(logSigmoid(input.neg()).mul(target.rsub(1))).neg();
  return reduceLosses(weightLosses(losses, weight, 'multilabelSoftMarginLoss').mean(-1), options);
}

export interface PoissonOptions extends ReductionOption {
  /** The input is the rate's logarithm: true unless given. */
  readonly logInput?: boolean;
  /** Add Stirling's approximation of log target! where the target is above 1. */
  readonly full?: boolean;
  /** Keeps log 0 away if the input is the rate itself: 1e-8 unless given. */
  readonly eps?: number;
}

/** The negative log-likelihood of counts under Poisson rates, without its constant part. */
export function poissonNllLoss(input: Tensor, target: Tensor, { logInput = true, full = false, eps = 1e-8, ...options }: PoissonOptions = {}): Tensor {
  requireSame(input, target, 'poissonNllLoss');
  const losses = logInput ? input.exp().sub(target.mul(input)) : input.sub(target.mul(input.add(eps).log()));
  if (!full) return reduceLosses(losses, options);
  const large = target.gt(1);
  const count = target.where(large, 1);
  const stirling = count.mul(count.log()).sub(count).add(count.mul(2 * Math.PI).log().mul(0.5));
  return reduceLosses(losses.add(stirling.where(large, 0)), options);
}

export interface GaussianOptions extends ReductionOption {
  /** Add the constant log(2π) / 2. */
  readonly full?: boolean;
  /** Variances below count as this, with the gradient of what they are: 1e-6 unless given. */
  readonly eps?: number;
}

/** (log v + (input − target)² / v) / 2 for predicted variances v, which broadcast. */
export function gaussianNllLoss(input: Tensor, target: Tensor, variance: Tensor, { full = false, eps = 1e-6, ...options }: GaussianOptions = {}): Tensor {
  requireSame(input, target, 'gaussianNllLoss');
  broadcastShapes(input.shape, variance.shape, describe('gaussianNllLoss'));
  const v = variance.add(variance.maximum(eps).sub(variance).detach());
  const losses = v.log().add(input.sub(target).square().div(v)).mul(0.5);
  return reduceLosses(full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, options);
}
