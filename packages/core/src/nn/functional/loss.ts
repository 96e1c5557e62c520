// Losses, with PyTorch's names and defaults. Inputs come first, targets second.
import { isFloat } from '../../dtype.ts';
import { withGradient } from '../../engine/differentiate.ts';
import { DtypeError, ShapeError, UserError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { sameShape } from '../../shape.ts';
import { arange } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { logSigmoid } from './activation.ts';
import { reduceLosses, requireClassWeights, requireSame, weightLosses, type ReductionOption } from './reduction.ts';

export type { ReductionOption } from './reduction.ts';

/** (input − target)². */
export function mseLoss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  requireSame(input, target, 'mseLoss');
  return reduceLosses(input.sub(target).square(), options);
}

/** |input − target|. */
export function l1Loss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  requireSame(input, target, 'l1Loss');
  return reduceLosses(input.sub(target).abs(), options);
}

/** d² / 2 where |d| < δ (1), else δ (|d| − δ / 2). */
export function huberLoss(input: Tensor, target: Tensor, options: ReductionOption & { readonly delta?: number } = {}): Tensor {
  requireSame(input, target, 'huberLoss');
  const { delta = 1 } = options;
  const distance = input.sub(target).abs();
  return reduceLosses(distance.square().mul(0.5).where(distance.lt(delta), distance.sub(delta / 2).mul(delta)), options);
}

/** d² / 2β where |d| < β (1), else |d| − β / 2. */
export function smoothL1Loss(input: Tensor, target: Tensor, options: ReductionOption & { readonly beta?: number } = {}): Tensor {
  const { beta = 1, ...rest } = options;
  if (beta === 0) return l1Loss(input, target, rest);
  return huberLoss(input, target, { ...rest, delta: beta }).mul(1 / beta);
}

/** −target log input − (1 − target) log(1 − input); logarithms are cut at −100, and the gradient's divisor at 10⁻¹². */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: ReductionOption & { readonly weight?: Tensor } = {}): Tensor {
  requireSame(input, target, 'binaryCrossEntropy');
  const positive = input.log().maximum(-100);
  const negative = input.neg().log1p().maximum(-100);
  const entropies = positive.mul(target).add(negative.mul(target.rsub(1))).neg();
  const losses = withGradient(entropies, [input, target], (dy) => {
    const slope = input.sub(target).div(input.mul(input.rsub(1)).maximum(1e-12));
    return [dy.mul(slope), dy.mul(negative.sub(positive))];
  });
  return reduceLosses(weightLosses(losses, options.weight, 'binaryCrossEntropy'), options);
}

/** `binaryCrossEntropy` of sigmoid(input), without overflow. `posWeight` multiplies the loss of positive targets. */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: ReductionOption & { readonly weight?: Tensor; readonly posWeight?: Tensor } = {},
): Tensor {
  requireSame(input, target, 'binaryCrossEntropyWithLogits');
  const { weight, posWeight } = options;
  const positive = logSigmoid(input).neg();
  const weighted = posWeight === undefined ? positive : positive.mul(target.mul(posWeight.sub(1)).add(1));
  const losses = input.mul(target.rsub(1)).add(weighted);
  return reduceLosses(weightLosses(losses, weight, 'binaryCrossEntropyWithLogits'), options);
}

export interface KlDivergenceOptions {
  /** `batchmean`, the divergence itself, divides the sum by the first axis. `mean` unless given, as in PyTorch. */
  readonly reduction?: 'mean' | 'sum' | 'none' | 'batchmean';
  /** Targets are logarithms too. */
  readonly logTarget?: boolean;
}

/** target (log target − input), for input = log q: the divergence of q from the target. 0 where the target is 0. */
export function klDiv(input: Tensor, target: Tensor, options: KlDivergenceOptions = {}): Tensor {
  requireSame(input, target, 'klDiv');
  const { reduction = 'mean', logTarget = false } = options;
  const positive = target.gt(0);
  const losses = logTarget
    ? target.exp().mul(target.sub(input))
    : target.mul(target.where(positive, 1).log().sub(input)).where(positive, 0);
  if (reduction === 'batchmean') return losses.sum().mul(1 / (input.shape[0] ?? 1));
  return reduceLosses(losses, { reduction });
}

export interface ClassLossOptions extends ReductionOption {
  /** A weight per class; the mean is weighted with it. */
  readonly weight?: Tensor;
  /** Targets of this class count nothing: −100 unless given. */
  readonly ignoreIndex?: number;
}

/** Class axis 1 (or 0 for a single sample without batch axis). */
function classAxis(input: Tensor, what: string): number {
  if (input.ndim === 0) throw new ShapeError(`${describe(what)}: the input has no class axis`);
  return input.ndim === 1 ? 0 : 1;
}

function requireIndices(input: Tensor, target: Tensor, axis: number, what: string): void {
  if (isFloat(target.dtype) || target.dtype === 'bool') {
    throw new DtypeError(`${describe(what)}: class indices of dtype ${target.dtype}`, {
      remedy: what === 'crossEntropy' ? 'give integers, or probabilities of the input\'s shape' : 'give integers',
    });
  }
  if (!sameShape(target.shape, input.shape.toSpliced(axis, 1))) {
    throw new ShapeError(`${describe(what)}: input ${formatShape(input.shape)} and class indices ${formatShape(target.shape)} do not fit`, {
      remedy: `targets have the input's shape without axis ${axis}`,
    });
  }
}

/** Whether each class is the target: bool of the input's shape, by comparing with 0, 1, …. */
function isTarget(input: Tensor, target: Tensor, axis: number): Tensor {
  const classes = arange(input.shape[axis] ?? 0).reshape(-1, ...input.shape.slice(axis + 1).map(() => 1));
  return target.to('int32').unsqueeze(axis).eq(classes);
}

/** Losses per target, weighted per class, without ignored ones; the mean divides by the weights that count. */
function finishClasses(losses: Tensor, target: Tensor, weights: Tensor | undefined, options: ClassLossOptions): Tensor {
  const { ignoreIndex = -100, reduction = 'mean' } = options;
  const ignored = target.to('int32').eq(ignoreIndex);
  const weighted = (weights === undefined ? losses : losses.mul(weights)).maskedFill(ignored, 0);
  if (reduction !== 'mean') return reduceLosses(weighted, { reduction });
  const counted = weights === undefined ? ignored.not().to(losses.dtype) : weights.maskedFill(ignored, 0);
  return weighted.sum().div(counted.sum());
}

/** The class weight of each target. */
function weightsOf(hit: Tensor, weight: Tensor | undefined, axis: number): Tensor | undefined {
  if (weight === undefined) return undefined;
  const spread = weight.reshape(-1, ...hit.shape.slice(axis + 1).map(() => 1));
  return spread.where(hit, 0).sum(axis);
}

/** −input[target], for input = log-probabilities [N, C, …] and class indices [N, …]. */
export function nllLoss(input: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor {
  const axis = classAxis(input, 'nllLoss');
  requireIndices(input, target, axis, 'nllLoss');
  requireClassWeights(options.weight, input.shape[axis] ?? 0, 'nllLoss');
  const hit = isTarget(input, target, axis);
  return finishClasses(input.where(hit, 0).sum(axis).neg(), target, weightsOf(hit, options.weight, axis), options);
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** Share of the target that is spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

/**
 * log Σ eˣ − x[target] for logits [N, C, …]; targets are class indices [N, …] or probabilities of the input's shape.
 * The backward pass reads the logits once: softmax minus target.
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const axis = classAxis(input, 'crossEntropy');
  const { labelSmoothing = 0, weight } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) throw new UserError(`${describe('crossEntropy')}: label smoothing ${labelSmoothing} is not in [0, 1]`);
  requireClassWeights(weight, input.shape[axis] ?? 0, 'crossEntropy');
  if (isFloat(target.dtype)) return crossEntropyOfProbabilities(input, target, axis, options);
  requireIndices(input, target, axis, 'crossEntropy');
  const hit = isTarget(input, target, axis);
  const normalizer = input.logsumexp(axis);
  const weights = weightsOf(hit, weight, axis);
  const losses = normalizer.sub(input.where(hit, 0).sum(axis));
  const { ignoreIndex } = options;
  const rest = ignoreIndex === undefined ? {} : { ignoreIndex };
  if (labelSmoothing === 0) return finishClasses(losses, target, weights, options);
  // PyTorch: (1 − ε) of the weighted loss, and ε / C of all classes' weighted losses over the same normaliser.
  const classes = input.shape[axis] ?? 1;
  const all = normalizer.unsqueeze(axis).sub(input);
  const spread = (weight === undefined ? all : all.mul(weight.reshape(-1, ...input.shape.slice(axis + 1).map(() => 1)))).sum(axis);
  const smooth = (weights === undefined ? losses : losses.mul(weights)).mul(1 - labelSmoothing).add(spread.mul(labelSmoothing / classes));
  if (weights === undefined) return finishClasses(smooth, target, undefined, options);
  const reduced = finishClasses(smooth, target, undefined, { ...rest, reduction: options.reduction === 'none' ? 'none' : 'sum' });
  if ((options.reduction ?? 'mean') !== 'mean') return reduced;
  const counted = finishClasses(weights, target, undefined, { ...rest, reduction: 'sum' });
  return reduced.div(counted);
}

function crossEntropyOfProbabilities(input: Tensor, target: Tensor, axis: number, options: CrossEntropyOptions): Tensor {
  requireSame(input, target, 'crossEntropy');
  const { labelSmoothing = 0, weight, reduction = 'mean' } = options;
  const classes = input.shape[axis] ?? 1;
  const smoothed = labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const weighted = weight === undefined ? smoothed : smoothed.mul(weight.reshape(-1, ...input.shape.slice(axis + 1).map(() => 1)));
  const losses = input.logSoftmax(axis).mul(weighted).sum(axis).neg();
  return reduceLosses(losses, { reduction });
}
