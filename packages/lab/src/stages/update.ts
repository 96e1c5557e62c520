// One training step as a compiled function: loss, gradients, clipping, optimiser, moving averages.
import { allReduce, compile, grad, replicas } from '@athanor/core';
import type { CompiledFunction, Tensor } from '@athanor/core';
import { EMA, clipGradNorm, clipGradValue } from '@athanor/core/nn';
import type { Module, Optimizer } from '@athanor/core/nn';
import type { ClassificationLoss } from './losses.ts';
import type { TrainConfig } from './train-config.ts';

export interface UpdateParts {
  readonly model: Module & { forward(inputs: Tensor): Tensor };
  readonly optimizer: Optimizer;
  readonly loss: ClassificationLoss;
  readonly ema: EMA | undefined;
  readonly clip: TrainConfig['clip'];
  /** Parts of a batch that go through the model one after the other. */
  readonly microBatches: number;
}

/** What a step gives: its loss and, where gradients are clipped by their norm, the norm before. */
export interface Update {
  readonly loss: Tensor;
  readonly norm?: Tensor;
}

/** Mixed samples count as their labels by their weights, and as their partners' labels by the rest. */
export interface Mixed {
  readonly labels: Tensor;
  readonly weights: Tensor;
}

/** Inputs, labels and, with mix-up, the labels that are mixed in. */
type UpdateArguments = [inputs: Tensor, labels: Tensor, mixed?: Mixed];

/** Moving averages of the parameters and, if asked for, of the running statistics. */
export function makeAverages(model: Module, config: TrainConfig['ema']): EMA | undefined {
  if (config === undefined) return undefined;
  const buffers = model.buffers().filter(({ dtype }) => dtype === 'float32' || dtype === 'float64');
  return new EMA([...model.parameters(), ...(config.buffers ? buffers : [])], config);
}

/** The compiled step: one program for all that a batch changes. */
export function makeUpdate({ model, optimizer, loss, ema, clip, microBatches }: UpdateParts): CompiledFunction<UpdateArguments, Update> {
  const variables = optimizer.targets.map(({ variable }) => variable);
  const meanLoss = (inputs: Tensor, labels: Tensor, mixed?: Mixed): Tensor => {
    const logits = model.forward(inputs);
    const own = loss(logits, labels);
    return (mixed === undefined ? own : own.lerp(loss(logits, mixed.labels), mixed.weights.rsub(1))).mean();
  };
  return compile((inputs: Tensor, labels: Tensor, mixed?: Mixed): Update => {
    const value = microBatches === 1 ? meanLoss(inputs, labels, mixed) : inParts(inputs, labels, mixed);
    const norm = step(value);
    ema?.update();
    const loss = meanOverReplicas(value);
    return norm === undefined ? { loss } : { loss, norm };
  });

  /** The mean over the parts, which have equal sizes. */
  function inParts(inputs: Tensor, labels: Tensor, mixed?: Mixed): Tensor {
    const split = (values: Tensor): Tensor[] => values.chunk(microBatches);
    const [wanted, others, weights] = [split(labels), mixed && split(mixed.labels), mixed && split(mixed.weights)];
    const parts = split(inputs).map((part, i) => {
      const [other, weight] = [others?.[i], weights?.[i]];
      return meanLoss(part, wanted[i] ?? labels, other && weight && { labels: other, weights: weight });
    });
    return parts.reduce((sum, part) => sum.add(part)).mul(1 / microBatches);
  }

  function step(value: Tensor): Tensor | undefined {
    if (clip === undefined && replicas().size === 1) return void optimizer.step(value);
    const gradients = grad(value, variables).map(meanOverReplicas);
    if (clip === undefined) return void optimizer.apply(gradients);
    if (clip.norm === undefined) return void optimizer.apply(clipGradValue(gradients, clip.value ?? Infinity));
    const clipped = clipGradNorm(gradients, clip.norm);
    optimizer.apply(clipped.gradients);
    return clipped.norm;
  }
}

/** Each replica has an equal part of the batch: the mean over the batch is the mean over the replicas. */
function meanOverReplicas(value: Tensor): Tensor {
  const { size } = replicas();
  return size === 1 ? value : allReduce(value).mul(1 / size);
}
