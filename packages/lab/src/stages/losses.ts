// Losses of classifiers as components: logits [N, C] and class indices [N] to one loss a sample [N].
import type { Tensor } from '@athanor/core';
import { functional } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import * as z from 'zod';

/** Logits [N, C] and class indices [N] → losses [N]; training takes their mean. */
export type ClassificationLoss = (logits: Tensor, labels: Tensor) => Tensor;

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    loss: ClassificationLoss;
  }
}

const none = { reduction: 'none' } as const;
const labelSmoothing = z.number().min(0).lt(1).default(0).meta({ description: 'share of the target that is spread evenly over all classes' });

/** Ones at the classes, smoothed, in the shape and dtype of the logits. */
function targets(logits: Tensor, labels: Tensor, smoothing = 0): Tensor {
  const classes = logits.shape.at(-1) ?? 1;
  const hits = labels.oneHot(classes).to(logits.dtype);
  return smoothing === 0 ? hits : hits.mul(1 - smoothing).add(smoothing / classes);
}

/** The losses that a training can name. */
export const losses = [
  component({
    kind: 'loss',
    name: 'cross-entropy',
    summary: 'Cross-entropy of the softmax',
    schema: z.strictObject({ labelSmoothing }),
    create: (options) => (logits, labels) => functional.crossEntropy(logits, labels, { ...options, ...none }),
  }),
  component({
    kind: 'loss',
    name: 'focal',
    summary: 'Cross-entropy times (1 − p)^γ, which counts easy samples less (Lin et al. 2017)',
    schema: z.strictObject({ gamma: z.number().min(0).default(2) }),
    create: ({ gamma }) => (logits, labels) => {
      const entropy = functional.crossEntropy(logits, labels, none);
      return entropy.neg().expm1().neg().clamp(1e-6).pow(gamma).mul(entropy);
    },
  }),
  component({
    kind: 'loss',
    name: 'multi-margin',
    summary: 'The hinge of several classes (Crammer & Singer 2001)',
    schema: z.strictObject({ margin: z.number().positive().default(1), p: z.union([z.literal(1), z.literal(2)]).default(1) }),
    create: (options) => (logits, labels) => functional.multiMarginLoss(logits, labels, { ...options, ...none }),
  }),
  component({
    kind: 'loss',
    name: 'squared',
    summary: 'Mean square of the distance from 1 at the class and 0 elsewhere (Hui & Belkin 2021)',
    schema: z.strictObject({ labelSmoothing }),
    create: (options) => (logits, labels) => functional.mseLoss(logits, targets(logits, labels, options.labelSmoothing), none).mean(-1),
  }),
  component({
    kind: 'loss',
    name: 'binary-cross-entropy',
    summary: 'Each class apart, by its own sigmoid, and the mean over classes (Wightman et al. 2021)',
    schema: z.strictObject({ labelSmoothing }),
    create: (options) => (logits, labels) =>
      functional.binaryCrossEntropyWithLogits(logits, targets(logits, labels, options.labelSmoothing), none).mean(-1),
  }),
];
