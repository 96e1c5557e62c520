// Folding: in evaluation a batch normalization is one scale and one shift per channel, which the layer before it can do.
import type { Tensor } from '@athanor/core';
import { Identity, Parameter, replace, trace, type LayerCall, type Module } from '@athanor/core/nn';
import { postorder } from '@athanor/core/backend';
import { filled } from '../framework/norm.ts';
import { BatchNorm } from '../batch/batch.ts';
import { isWeighted, perOutput, type WeightedLayer } from '../weights/layer.ts';

interface Pair {
  readonly layer: WeightedLayer;
  readonly norm: BatchNorm;
  readonly path: string;
}

/** Batch normalizations whose input is exactly what one layer, called once, made, and that nothing else reads. */
function foldable(model: Module, input: readonly number[]): Pair[] {
  const { calls, outputs } = trace(model, input);
  const readers = new Map<unknown, Set<string>>();
  for (const node of postorder(outputs)) {
    for (const operand of node.inputs) readers.set(operand, (readers.get(operand) ?? new Set()).add(node.module));
  }
  const callsOf = (module: Module): LayerCall[] => calls.filter((call) => call.module === module);
  return calls.flatMap(({ module: norm, path, inputs }) => {
    if (!(norm instanceof BatchNorm) || norm.runningMean === undefined || callsOf(norm).length !== 1) return [];
    const maker = calls.find((call) => isWeighted(call.module) && call.outputs[0] === inputs[0]);
    if (maker === undefined || !isWeighted(maker.module) || callsOf(maker.module).length !== 1) return [];
    const others = [...(readers.get(inputs[0]) ?? [])].filter((reader) => reader !== path);
    return others.length === 0 && !outputs.some((output) => output === inputs[0]) ? [{ layer: maker.module, norm, path }] : [];
  });
}

/** w ← w γ/σ, b ← β + (b − μ) γ/σ with the running statistics. */
function fold({ layer, norm }: Pair): void {
  const { runningMean, runningVar, weight: gamma, bias: beta, eps } = norm;
  if (runningMean === undefined || runningVar === undefined) return;
  const { weight } = layer;
  const inverse = runningVar.value.add(eps).rsqrt();
  const scale: Tensor = gamma === undefined ? inverse : inverse.mul(gamma.value);
  const start = layer.bias === undefined ? runningMean.value.neg() : layer.bias.value.sub(runningMean.value);
  const shift = beta === undefined ? start.mul(scale) : start.mul(scale).add(beta.value);
  const [outputs = 0] = weight.shape;
  const bias = layer.bias ?? new Parameter({ shape: [outputs], dtype: weight.dtype, initial: filled(0, outputs, weight.dtype) });
  weight.assign(weight.value.mul(perOutput(scale, weight.value)));
  bias.assign(shift);
  Object.assign(layer, { bias });
}

/**
 * Folds every batch normalization that directly follows a convolution or linear layer into it, for evaluation; in its
 * place remains the identity. `input` is the shape of an input [N, …]. Returns the paths folded. What the model computes
 * in evaluation stays the same, up to rounding.
 */
export function foldBatchNorm(model: Module, input: readonly number[]): string[] {
  const pairs = foldable(model.eval(), input);
  for (const pair of pairs) fold(pair);
  return replace(
    model,
    (module) => pairs.some(({ norm }) => norm === module),
    () => new Identity(),
  );
}
