// Folding: in evaluation a batch normalization is one scale and one shift per channel, which the layer before it can do.
// Unfolding takes it out again.
import { UserError, where, type Tensor } from '@athanor/core';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Identity, Parameter, replace, trace, type LayerCall, type Module } from '@athanor/core/nn';
import { postorder } from '@athanor/core/backend';
import { BatchNorm } from '../batch/batch.ts';
import { ChannelsFirst } from '../framework/channels-first.ts';
import { layoutOf } from '../framework/layout.ts';
import { filled } from '../framework/norm.ts';
import { isConvolution, isWeighted, perOutput, type WeightedLayer } from '../weights/layer.ts';

type Transposed = ConvTranspose1d | ConvTranspose2d | ConvTranspose3d;
/** Layers whose outputs are scaled by scaling their weights. */
export type FoldTarget = WeightedLayer | Transposed;

function isTransposed(module: Module): module is Transposed {
  return module instanceof ConvTranspose1d || module instanceof ConvTranspose2d || module instanceof ConvTranspose3d;
}

function isTarget(module: Module): module is FoldTarget {
  return isWeighted(module) || isTransposed(module);
}

function outputsOf(layer: FoldTarget): number {
  const [first = 0, second = 0] = layer.weight.shape;
  return isTransposed(layer) ? second * layer.groups : first;
}

/** The weight with each output's part multiplied; transposed convolutions have [in, out / groups, …kernel]. */
function scaled(layer: FoldTarget, factors: Tensor): Tensor {
  const weight = layer.weight.value;
  if (!isTransposed(layer)) return weight.mul(perOutput(factors, weight));
  const { groups } = layer;
  const [inputs = 0, outputs = 0, ...kernel] = weight.shape;
  const perGroup = factors.reshape(groups, 1, outputs, ...kernel.map(() => 1));
  return weight.reshape(groups, inputs / groups, outputs, ...kernel).mul(perGroup).reshape(weight.shape);
}

/** The batch normalization that a module is, or wraps for [N, C, L]. */
function normIn(module: Module): BatchNorm | undefined {
  const norm = module instanceof ChannelsFirst ? module.norm : module;
  return norm instanceof BatchNorm && norm.plainInEvaluation ? norm : undefined;
}

interface Pair {
  readonly layer: FoldTarget;
  readonly norm: BatchNorm;
  /** The norm, or the wrapper around it. */
  readonly place: Module;
}

/** Whether the channels that a norm sees are the layer's outputs. */
function sameAxis(layer: FoldTarget, place: Module, z: { readonly shape: readonly number[] }): boolean {
  const convolution = isTransposed(layer) || isConvolution(layer);
  if (place instanceof ChannelsFirst) return convolution;
  const rank = z.shape.length;
  if (rank < 2 || rank > 5) return false;
  return layoutOf({ ndim: rank, shape: z.shape }).channel === (convolution ? 1 : rank - 1);
}

/** Batch normalizations whose input is exactly what one layer, called once, made, and that nothing else reads. */
function foldable(model: Module, input: readonly number[]): Pair[] {
  const { calls, outputs } = trace(model, input);
  const readers = new Map<unknown, Set<string>>();
  for (const node of postorder(outputs)) {
    for (const operand of node.inputs) readers.set(operand, (readers.get(operand) ?? new Set()).add(node.module));
  }
  const callsOf = (module: Module): LayerCall[] => calls.filter((call) => call.module === module);
  const wrapped = new Set(calls.flatMap(({ module }) => (module instanceof ChannelsFirst ? [module.norm] : [])));
  return calls.flatMap(({ module: place, path, inputs }) => {
    const norm = normIn(place);
    const [z] = inputs;
    if (norm === undefined || z === undefined || wrapped.has(place as BatchNorm) || callsOf(place).length !== 1) return [];
    const maker = calls.find((call) => isTarget(call.module) && call.outputs[0] === z);
    if (maker === undefined || !isTarget(maker.module) || callsOf(maker.module).length !== 1 || !sameAxis(maker.module, place, z)) return [];
    const others = [...(readers.get(z) ?? [])].filter((reader) => reader !== path && !reader.startsWith(`${path}.`));
    return others.length === 0 && !outputs.some((output) => output === z) ? [{ layer: maker.module, norm, place }] : [];
  });
}

/** γ, or ones, and √(running variance + ε). */
function scales({ weight, runningVar, eps }: BatchNorm): { gain: Tensor; sigma: Tensor } {
  if (runningVar === undefined) throw new UserError('a batch normalization without running statistics cannot be folded');
  const sigma = runningVar.value.add(eps).sqrt();
  return { gain: weight?.value ?? sigma.mul(0).add(1), sigma };
}

/** w ← w γ/σ, b ← β + (b − μ) γ/σ with the running statistics. */
function fold({ layer, norm }: Pair): void {
  const { runningMean, bias: beta } = norm;
  if (runningMean === undefined) return;
  const { gain, sigma } = scales(norm);
  const scale = gain.div(sigma);
  const start = layer.bias === undefined ? runningMean.value.neg() : layer.bias.value.sub(runningMean.value);
  const outputs = outputsOf(layer);
  const bias = layer.bias ?? new Parameter({ shape: [outputs], dtype: layer.weight.dtype, initial: filled(0, outputs, layer.weight.dtype) });
  layer.weight.assign(scaled(layer, scale));
  bias.assign(beta === undefined ? start.mul(scale) : start.mul(scale).add(beta.value));
  Object.assign(layer, { bias });
}

/** The identity where a batch normalization was folded into the layer before; knows both, for `unfoldBatchNorm`. */
export class FoldedBatchNorm extends Identity {
  readonly #unfold: () => Module;

  constructor(unfold: () => Module) {
    super();
    this.#unfold = unfold;
  }

  /** Takes the normalization out of the layer and returns what stood here. */
  unfold(): Module {
    return this.#unfold();
  }
}

/**
 * w ← w σ/γ and b ← (b − β) σ/γ + μ; a layer that had no bias has none again, β takes what changed since. Where γ is 0
 * the weights that folding wiped out do not come back.
 */
function unfold({ layer, norm, place }: Pair, hadBias: boolean): Module {
  const { runningMean, weight, bias: beta } = norm;
  const folded = layer.bias?.value;
  if (runningMean === undefined || folded === undefined) return place;
  const { gain, sigma } = scales(norm);
  const dead = gain.eq(0);
  const factor = where(dead, 1, sigma.div(where(dead, 1, gain)));
  layer.weight.assign(scaled(layer, factor));
  if (hadBias || beta === undefined) {
    layer.bias?.assign((beta === undefined ? folded : folded.sub(beta.value)).mul(factor).add(runningMean.value));
    if (weight !== undefined) beta?.assign(where(dead, folded, beta.value));
  } else {
    beta.assign(folded.add(runningMean.value.mul(gain).div(sigma)));
    Object.assign(layer, { bias: undefined });
  }
  return place;
}

/**
 * Folds every batch normalization that directly follows a linear layer, a convolution or a transposed convolution into it,
 * for evaluation; in its place remains the identity. `input` is the shape of an input [N, …]. Returns the paths folded.
 * What the model computes in evaluation stays the same, up to rounding.
 */
export function foldBatchNorm(model: Module, input: readonly number[]): string[] {
  const pairs = foldable(model.eval(), input).map((pair) => ({ ...pair, hadBias: pair.layer.bias !== undefined }));
  for (const pair of pairs) fold(pair);
  return replace(
    model,
    (module) => pairs.some(({ place }) => place === module),
    (module) => {
      const pair = pairs.find(({ place }) => place === module);
      return pair === undefined ? module : new FoldedBatchNorm(() => unfold(pair, pair.hadBias));
    },
  );
}

/**
 * Takes every batch normalization that `foldBatchNorm` folded out again, to train on: running statistics, γ and β are
 * those of before, and layers whose weights changed meanwhile keep computing in evaluation what they do. Returns the paths.
 */
export function unfoldBatchNorm(model: Module): string[] {
  return replace(
    model,
    (module) => module instanceof FoldedBatchNorm,
    (module) => (module instanceof FoldedBatchNorm ? module.unfold() : module),
  );
}
