// What a transform of one sample is. Transforms run on float32 values before normalisation (bytes become 0 … 1).
import { UserError } from '@athanor/core';
import type { RandomStream } from '../random.ts';

/** What a transform may use. */
export interface SampleContext {
  /** Shape of the sample. */
  readonly shape: readonly number[];
  /** The sample's own stream: keyed by seed, epoch and the sample's index, shared by its transforms in order. */
  readonly random: RandomStream;
  /** Mean of each channel over the training set; zeros when unknown. */
  readonly mean: readonly number[];
  /** Room for a copy of the sample; holds nothing between calls. */
  readonly scratch: Float32Array;
}

/** Changes a sample in place, keeping its shape. */
export interface Transform {
  readonly name: string;
  /** The options as plain data, from which a worker makes the transform again: only this package's transforms have them. */
  readonly config?: object;
  /** Changes a sample of float32 values in place. */
  readonly apply: (sample: Float32Array, context: SampleContext) => void;
}

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    transform: Transform;
  }
}

/** Channels, height and width; a `UserError` when the samples are not images. */
export function imageShape(
  name: string,
  shape: readonly number[],
): { channels: number; height: number; width: number } {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || channels === undefined || height === undefined || width === undefined) {
    throw new UserError(
      `transform ${name} needs images of shape [C, H, W]; these samples have shape [${shape.join(', ')}]`,
    );
  }
  return { channels, height, width };
}
