// Internal covariate shift by both of its protocols: how a unit's distribution drifts while the network is trained (Ioffe
// & Szegedy 2015, arXiv 1502.03167), and how a layer's gradient changes when the layers below are updated (Santurkar et
// al. 2018, arXiv 1805.11604).
import { compile, grad, stack, type Tensor, type Variable } from '@athanor/core';
import type { Module } from '@athanor/core/nn';
import { differences, evaluateAt, innerProduct, keepingBuffers, lengthOf } from './evaluate-at.ts';

/** The values below which given shares (0 … 1) of the sorted numbers lie, interpolated linearly. */
export function percentiles(values: ArrayLike<number>, shares: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const [low = NaN, high = low] = [sorted[below], sorted[below + 1]];
    return low + (place - below) * (high - low);
  });
}

/** Shares between which Ioffe & Szegedy draw a distribution. */
export const driftShares = [0.15, 0.5, 0.85] as const;

/** What one unit's distribution did over time. */
export interface Drift {
  /** Standard deviation over time of the median. */
  readonly median: number;
  /** Standard deviation over time of the distance between the outer percentiles. */
  readonly spread: number;
  /** Σ |median(t) − median(t − 1)|. */
  readonly variation: number;
}

/** Sums up percentiles [low, median, high] that were taken at several times. */
export function driftOf(history: readonly (readonly number[])[]): Drift {
  const medians = history.map(([, median = NaN]) => median);
  const spreads = history.map(([low = NaN, , high = NaN]) => high - low);
  const variation = medians.slice(1).reduce((sum, median, i) => sum + Math.abs(median - (medians[i] ?? median)), 0);
  return { median: deviation(medians), spread: deviation(spreads), variation };
}

/** Standard deviation with divisor n. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Mean and standard deviation of each unit of a layer. */
export interface Moments {
  readonly mean: ArrayLike<number>;
  readonly std: ArrayLike<number>;
}

/** How far each unit moved from one time to the next, averaged over the units. */
export interface MomentShift {
  /** |Δμ| / σ before + |log σ ratio|. */
  readonly relative: number;
  /** The squared Wasserstein distance of Gaussians: (Δμ)² + (Δσ)². */
  readonly wasserstein: number;
  /** The symmetric Kullback-Leibler divergence of Gaussians. */
  readonly divergence: number;
}

/** The shift between the moments of a layer's units at two times. */
export function momentShift(before: Moments, after: Moments): MomentShift {
  let [relative, wasserstein, divergence] = [0, 0, 0];
  const count = before.mean.length;
  for (let i = 0; i < count; i++) {
    const [m = NaN, s = NaN, n = NaN, t = NaN] = [before.mean[i], before.std[i], after.mean[i], after.std[i]];
    relative += Math.abs(n - m) / s + Math.abs(Math.log(t / s));
    wasserstein += (n - m) ** 2 + (t - s) ** 2;
    divergence += 0.5 * ((s ** 2 + (m - n) ** 2) / t ** 2 + (t ** 2 + (m - n) ** 2) / s ** 2) - 1;
  }
  return { relative: relative / count, wasserstein: wasserstein / count, divergence: divergence / count };
}

/** The change of one layer's gradient by the update of the layers below. */
export interface GradientShift {
  /** ‖G − G′‖ */
  readonly difference: number;
  /** ‖G − G′‖ / ‖G‖ */
  readonly relative: number;
  /** cos(G, G′) */
  readonly cosine: number;
}

/** A model's parameters by layer: each weight of two or more axes, with the scales and shifts that follow it. */
export function parameterLayers(model: Module): { readonly name: string; readonly weight: Variable; readonly parameters: readonly Variable[] }[] {
  const layers: { name: string; weight: Variable; parameters: Variable[] }[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    if (parameter.shape.length >= 2) layers.push({ name, weight: parameter, parameters: [parameter] });
    else layers.at(-1)?.parameters.push(parameter);
  }
  return layers;
}

/**
 * A function that measures each layer's gradient shift for the step θ − lr ∇L on a batch: G is the gradient of the layer's
 * weight before it, G′ the gradient at the same weight when only the layers below it have made the step. The first layer,
 * which has none below, is left out.
 */
export function gradientShiftProbe(
  model: Module,
  loss: (inputs: Tensor, labels: Tensor) => Tensor,
): (inputs: Tensor, labels: Tensor, lr: number) => Promise<GradientShift[]> {
  const layers = parameterLayers(model);
  const measure = compile((inputs: Tensor, labels: Tensor, lr: number | Tensor) =>
    keepingBuffers(model, () => {
      const parameters = layers.flatMap((layer) => layer.parameters);
      const start = parameters.map(({ value }) => value);
      const gradients = grad(loss(inputs, labels), start, { allowUnused: true });
      // Detached: the step is where the layers below are, not how they came there.
      const stepped = start.map((value, i) => value.sub((gradients[i] ?? value).mul(lr)).detach());
      let below = 0;
      const rows = layers.map((layer, index) => {
        const place = parameters.indexOf(layer.weight as (typeof parameters)[number]);
        const [weight, before] = [start[place], gradients[place]];
        const values = start.map((value, i) => (i < below ? (stepped[i] ?? value) : value));
        below += layer.parameters.length;
        if (index === 0 || weight === undefined || before === undefined) return [];
        const [after = before] = evaluateAt(parameters, values, () => grad(loss(inputs, labels), [weight]));
        return [stack([lengthOf(differences([before], [after])), lengthOf([before]), lengthOf([after]), innerProduct([before], [after])])];
      });
      return stack(rows.flat());
    }),
  );
  return async (inputs, labels, lr) => {
    const values = await measure(inputs, labels, lr).data();
    return layers.slice(1).map((_, i) => {
      const [difference = NaN, before = NaN, after = NaN, product = NaN] = Array.from(values.subarray(4 * i, 4 * i + 4));
      return { difference, relative: difference / before, cosine: product / (before * after) };
    });
  };
}
