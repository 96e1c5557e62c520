// Makes batches from sample indices: scaling, transforms, normalisation, mixup.
// A pure function of data set, options, epoch and indices, so that workers make the same bits.
import { UserError } from '@athanor/core';
import { sampleSize } from '../dataset.ts';
import type { Dataset, Statistics } from '../dataset.ts';
import { RandomStream, streamKey } from '../random.ts';
import type { Transform } from '../transforms/transform.ts';
import type { BatchPlan } from './cursor.ts';

/** Samples ready for a model. */
export interface Batch {
  /** `[size, ...inputShape]`, contiguous. */
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  /** Number of samples; the last batch of an epoch may be short. */
  readonly size: number;
  readonly epoch: number;
  /** The batch's number in its epoch, from 0. */
  readonly index: number;
  /** With mixup: sample i counts as `labels[i]` by `weights[i]` and as `mixed.labels[i]` by the rest. */
  readonly mixed?: { readonly labels: Int32Array; readonly weights: Float32Array };
}

export interface AssembleOptions {
  readonly seed: number;
  /** Subtracts the mean and divides by the standard deviation of each channel; false: neither. */
  readonly normalize: Statistics | false;
  readonly transforms: readonly Transform[];
  /** Mixup (Zhang et al. 2018) with λ ~ Beta(alpha, alpha) and a partner from the whole set, drawn for each sample. */
  readonly mixup: { readonly alpha: number } | undefined;
}

/** A function that makes the planned batches. */
export type Assemble = (plan: BatchPlan) => Batch;

/** @throws UserError for statistics that do not fit the channels, or transforms that do not fit the shape. */
export function createAssembler(dataset: Dataset, options: AssembleOptions): Assemble {
  const { inputShape, labels } = dataset;
  const { seed, mixup } = options;
  const size = sampleSize(inputShape);
  const fill = createFiller(dataset, options);
  const partner = new Float32Array(size);

  const mix = (plan: BatchPlan, inputs: Float32Array, alpha: number) => {
    const mixed = { labels: new Int32Array(plan.indices.length), weights: new Float32Array(plan.indices.length) };
    plan.indices.forEach((index, row) => {
      const random = new RandomStream(streamKey(seed, 'mixup', plan.epoch, index));
      const other = random.integer(dataset.length);
      const weight = Math.fround(random.beta(alpha, alpha));
      fill(partner, other, () => new RandomStream(streamKey(seed, 'mixup partner', plan.epoch, index)));
      const sample = inputs.subarray(row * size, (row + 1) * size);
      for (let at = 0; at < size; at++) sample[at] = weight * (sample[at] ?? 0) + (1 - weight) * (partner[at] ?? 0);
      mixed.labels[row] = labels[other] ?? 0;
      mixed.weights[row] = weight;
    });
    return mixed;
  };

  return (plan) => {
    const { epoch, index, indices } = plan;
    const inputs = new Float32Array(indices.length * size);
    indices.forEach((sample, row) => {
      const target = inputs.subarray(row * size, (row + 1) * size);
      fill(target, sample, () => new RandomStream(streamKey(seed, 'transforms', epoch, sample)));
    });
    const batch = { inputs, labels: indices.map((sample) => labels[sample] ?? 0), size: indices.length, epoch, index };
    return mixup === undefined ? batch : { ...batch, mixed: mix(plan, inputs, mixup.alpha) };
  };
}

type Fill = (target: Float32Array, sample: number, random: () => RandomStream) => void;

/** Writes one sample: bytes divided by 255, transforms, then normalisation; each step rounds to float32. */
function createFiller(dataset: Dataset, options: AssembleOptions): Fill {
  const { inputs, inputShape } = dataset;
  const { normalize, transforms } = options;
  const size = sampleSize(inputShape);
  const channels = inputShape[0] ?? 1;
  const plane = size / channels;
  const mean = normalize === false ? new Array<number>(channels).fill(0) : normalize.mean;
  const std = normalize === false ? new Array<number>(channels).fill(1) : normalize.std;
  if (mean.length !== channels || std.length !== channels) {
    throw new UserError(
      `${mean.length} means and ${std.length} standard deviations for ${channels} channels of ${dataset.name}`,
    );
  }
  const bad = std.findIndex((value) => !(value > 0));
  if (bad >= 0) throw new UserError(`the standard deviation of channel ${bad} is ${std[bad]}; it must be above 0`);

  const unit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
  if (inputs instanceof Uint8Array && transforms.length === 0) {
    const tables = mean.map((center, channel) => unit.map((value) => (value - center) / (std[channel] ?? 1)));
    return (target, sample) => {
      const start = sample * size;
      tables.forEach((table, channel) => {
        const end = (channel + 1) * plane;
        for (let at = channel * plane; at < end; at++) target[at] = table[inputs[start + at] ?? 0] ?? 0;
      });
    };
  }

  const scratch = new Float32Array(size);
  const known = dataset.statistics?.mean ?? mean;
  return (target, sample, random) => {
    const source = inputs.subarray(sample * size, (sample + 1) * size);
    if (source instanceof Uint8Array) {
      for (let at = 0; at < size; at++) target[at] = unit[source[at] ?? 0] ?? 0;
    } else {
      target.set(source);
    }
    if (transforms.length > 0) {
      const context = { shape: inputShape, random: random(), mean: known, scratch };
      for (const transform of transforms) transform.apply(target, context);
    }
    if (normalize === false) return;
    for (let channel = 0; channel < channels; channel++) {
      const center = mean[channel] ?? 0;
      const spread = std[channel] ?? 1;
      for (let at = channel * plane; at < (channel + 1) * plane; at++)
        target[at] = ((target[at] ?? 0) - center) / spread;
    }
  };
}
