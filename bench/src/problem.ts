// What a contestant is asked to compute, as plain data: ours and every peer build their step from it.

/** float32 throughout; the steps themselves are described in README.md. Sizes are variable so that tests can be quick. */
export type Problem =
  /** One addition of two vectors. */
  | { readonly kind: 'tiny-op'; readonly size: number; readonly compiled: boolean }
  /** sum(a · w), and its gradient with respect to w. */
  | { readonly kind: 'tiny-backward'; readonly size: number; readonly compiled: boolean }
  /** `length` products of 4×4 matrices, each with the result of the one before. */
  | { readonly kind: 'chain'; readonly length: number }
  /** A·B, Aᵀ·B or A·Bᵀ of stored square matrices. */
  | { readonly kind: 'matmul'; readonly n: number; readonly form: 'NN' | 'TN' | 'NT' }
  /** gelu(x·a + b), the form with tanh. */
  | { readonly kind: 'gelu'; readonly n: number }
  /** Training mode, over all axes but 1; forward and backward. */
  | { readonly kind: 'batch-norm'; readonly shape: readonly [number, number, number, number] }
  /** Over the last axis; forward and backward. */
  | { readonly kind: 'layer-norm'; readonly shape: readonly [number, number] }
  /** Over the last axis; forward and backward. */
  | { readonly kind: 'softmax'; readonly shape: readonly [number, number] }
  | {
      readonly kind: 'conv';
      /** [N, C, H, W] */
      readonly input: readonly [number, number, number, number];
      readonly outputs: number;
      readonly kernel: number;
      readonly padding: number;
      /** With both gradients. */
      readonly train: boolean;
    }
  /** One SGD step, momentum 0.9, on [batch, 1, 28, 28]. */
  | { readonly kind: 'lenet5'; readonly batch: number }
  /** One SGD step, momentum 0.9, on [batch, 3, side, side]. */
  | { readonly kind: 'resnet20'; readonly batch: number; readonly side: number }
  /** One Adam step on [batch, sizes[0]]. */
  | { readonly kind: 'mlp'; readonly batch: number; readonly sizes: readonly number[] }
  /** One Adam step that predicts noise in [batch, 1, side, side], or one step of a sampler. */
  | { readonly kind: 'unet'; readonly batch: number; readonly side: number; readonly train: boolean };

export type ProblemOf<K extends Problem['kind']> = Extract<Problem, { readonly kind: K }>;

export type Unit = 'GFLOP/s' | 'GB/s' | 'images/s' | 'steps/s' | 'ms' | 'µs';

/** One row of the benchmark. */
export interface Case {
  readonly workload: string;
  readonly name: string;
  readonly problem: Problem;
  readonly unit: Unit;
  /** What one step does, in the unit's terms: FLOP, bytes, images, steps; for µs the number of operations. Unused for ms. */
  readonly work: number;
}

/** A case's figure in its unit from the time of one step. */
export function valueOf({ unit, work }: Case, milliseconds: number): number {
  switch (unit) {
    case 'GFLOP/s':
    case 'GB/s':
      return work / milliseconds / 1e6;
    case 'images/s':
    case 'steps/s':
      return (work * 1000) / milliseconds;
    case 'µs':
      return (milliseconds * 1000) / work;
    case 'ms':
      return milliseconds;
    default:
      return unit satisfies never;
  }
}

/** A contestant's one training step, evaluation or operation: writes the inputs of batch `i`, computes, reads one number. */
export type Step = (i: number) => number | Promise<number>;

/** Steps alternate between this many sets of inputs. */
export const batches = 2;

export const learningRate = { sgd: 0.05, adam: 0.001 } as const;
export const momentum = 0.9;
export const classes = 10;
/** Of diffusion: steps are numbered below this. */
export const timesteps = 1000;
/** A sampler's step: (x − rate · predicted noise) · scale. */
export const samplerRate = 0.02;
export const samplerScale = 1.01;
/** Of all norms. */
export const epsilon = 1e-5;
/** The factor and the summand of `gelu`. */
export const geluScale = 1.5;
export const geluShift = 0.1;
