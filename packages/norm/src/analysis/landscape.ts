// How smooth the loss is along its own gradient, as training meets it (Santurkar, Tsipras, Ilyas & Mądry 2018, arXiv
// 1805.11604): the band of losses, how far a gradient can be relied upon, and the smoothness constant that was met.
import { compile, grad, stack, type Tensor } from '@athanor/core';
import type { Module } from '@athanor/core/nn';
import { differences, evaluateAt, keepingBuffers, lengthOf } from './evaluate-at.ts';

export interface LandscapeOptions {
  /** Step sizes as multiples of the learning rate; eight from 1/2 to 4 unless given. */
  readonly multiples?: readonly number[];
}

/** Along θ − e g, for the step sizes e. */
export interface Landscape {
  /** Losses at each e. */
  readonly losses: readonly number[];
  /** ‖∇L(θ − e g) − g‖ at each e. */
  readonly gradientChanges: readonly number[];
  /** Largest loss minus smallest. */
  readonly band: number;
  /** Largest ‖∇L(θ − e g) − g‖ over ‖g‖: how little the gradient tells about the next one. */
  readonly predictiveness: number;
  /** Largest ‖∇L(θ − e g) − g‖ / (e ‖g‖): the smoothness constant β that was met. */
  readonly smoothness: number;
  /** β ‖W‖², which does not change when a scale-invariant network's weights grow. */
  readonly scaledSmoothness: number;
  /** Largest ‖∇L(θ − e g)‖: a bound on how fast the loss changes. */
  readonly lipschitz: number;
  /** ‖g‖ */
  readonly gradientNorm: number;
  /** L(θ) */
  readonly loss: number;
}

/**
 * A function that measures the landscape around a model's parameters on a batch, in the mode in which the model is, along
 * the gradient itself (not an optimiser's direction). Parameters and buffers are left as they are.
 */
export function landscapeProbe(
  model: Module,
  loss: (inputs: Tensor, labels: Tensor) => Tensor,
  options: LandscapeOptions = {},
): (inputs: Tensor, labels: Tensor, lr: number) => Promise<Landscape> {
  const { multiples = Array.from({ length: 8 }, (_, i) => 0.5 * (i + 1)) } = options;
  const measure = compile((inputs: Tensor, labels: Tensor, lr: number | Tensor) =>
    keepingBuffers(model, () => {
      const parameters = model.parameters();
      const start = parameters.map(({ value }) => value);
      const here = loss(inputs, labels);
      const gradients = grad(here, start, { allowUnused: true });
      const points = multiples.map((multiple) => {
        const moved = start.map((value, i) => value.sub((gradients[i] ?? value).mul(lr).mul(multiple)).detach());
        return evaluateAt(parameters, moved, () => {
          const there = loss(inputs, labels);
          const slopes = grad(there, moved, { allowUnused: true });
          return { loss: there, change: lengthOf(differences(slopes, gradients)), length: lengthOf(slopes) };
        });
      });
      return stack([here, lengthOf(gradients), lengthOf(start), ...points.map((point) => point.loss), ...points.map((point) => point.change), ...points.map((point) => point.length)]);
    }),
  );
  return async (inputs, labels, lr) => {
    const values = Array.from(await measure(inputs, labels, lr).data());
    const [here = NaN, gradientNorm = NaN, weightNorm = NaN] = values;
    const part = (index: number): number[] => values.slice(3 + index * multiples.length, 3 + (index + 1) * multiples.length);
    const [losses, gradientChanges, lengths] = [part(0), part(1), part(2)];
    const smoothness = Math.max(...gradientChanges.map((change, i) => change / ((multiples[i] ?? 1) * lr * gradientNorm)));
    return {
      losses,
      gradientChanges,
      band: Math.max(...losses) - Math.min(...losses),
      predictiveness: Math.max(...gradientChanges) / gradientNorm,
      smoothness,
      scaledSmoothness: smoothness * weightNorm ** 2,
      lipschitz: Math.max(...lengths),
      gradientNorm,
      loss: here,
    };
  };
}
