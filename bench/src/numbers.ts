// The numbers that problems are made of: a hash of (seed, position), which torch_peer.py repeats, so that every
// contestant computes with the same inputs and starts from the same parameters.
import { batches, classes, timesteps, type Problem, type ProblemOf } from './problem.ts';

function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** `count` float32 numbers, uniform in [−scale, scale). */
export function uniform(seed: number, count: number, scale = 1): Float32Array {
  const start = mix(seed + 1);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = (mix(Math.imul(i, 0x9e3779b1) + start) / 2 ** 31 - 1) * scale;
  return out;
}

/** `count` whole numbers in [0, below). */
export function labels(seed: number, count: number, below: number): Int32Array {
  const start = mix(seed + 1);
  return Int32Array.from({ length: count }, (_, i) => Math.floor((mix(Math.imul(i, 0x9e3779b1) + start) / 2 ** 32) * below));
}

/** A parameter starts as its center, plus or minus up to its spread. */
export interface Parameter {
  readonly shape: readonly number[];
  readonly center: number;
  readonly spread: number;
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Start values of parameter number `index`. */
export function startValues({ shape, center, spread }: Parameter, index: number): Float32Array {
  return uniform(1000 + index, count(shape), spread).map((value) => value + center);
}

/** What differs from step to step. */
export interface Batch {
  readonly x: Float32Array;
  /** The other operand of a product; the noise that a diffusion model is to find. */
  readonly second?: Float32Array;
  /** Classes, or numbers of steps of diffusion. */
  readonly labels?: Int32Array;
}

/** What differs from step to step, and what stays. Images are [N, C, H, W], weights [out, in, kernel, kernel]. */
export interface Inputs {
  readonly batches: readonly Batch[];
  /** weight: of a convolution, a chain, a tiny gradient; scale and shift: of a norm; cotangent: the incoming gradient. */
  readonly fixed: { readonly weight?: Float32Array; readonly scale?: Float32Array; readonly shift?: Float32Array; readonly cotangent?: Float32Array };
}

/** Half of the 4×4 Hadamard matrix: products with it keep their size for ever. */
const halfHadamard = [1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1].map((sign) => sign / 2);

const perBatch = <T>(make: (batch: number) => T): T[] => Array.from({ length: batches }, (_, batch) => make(batch));

const seeds = { x: 0, second: 10, labels: 20, weight: 30, scale: 31, shift: 32, cotangent: 33 } as const;

const draw = (size: number): Inputs['batches'] => perBatch((batch) => ({ x: uniform(seeds.x + batch, size) }));

function images(size: number, batch: number): Inputs {
  return { batches: perBatch((i) => ({ x: uniform(seeds.x + i, batch * size), labels: labels(seeds.labels + i, batch, classes) })), fixed: {} };
}

/** Shape [N, O, H′, W′] of a convolution's result. */
export function convOutput({ input: [n, , height, width], outputs, kernel, padding }: ProblemOf<'conv'>): [number, number, number, number] {
  const out = (size: number): number => size + 2 * padding - kernel + 1;
  return [n, outputs, out(height), out(width)];
}

/** The inputs of a problem. */
export function inputsOf(problem: Problem): Inputs {
  switch (problem.kind) {
    case 'tiny-op':
    case 'tiny-backward':
      return { batches: draw(problem.size), fixed: { weight: uniform(seeds.weight, problem.size) } };
    case 'chain':
      return { batches: draw(16), fixed: { weight: Float32Array.from(halfHadamard) } };
    case 'matmul': {
      const size = problem.n * problem.n;
      return { batches: perBatch((i) => ({ x: uniform(seeds.x + i, size), second: uniform(seeds.second + i, size) })), fixed: {} };
    }
    case 'gelu':
      return { batches: draw(problem.n), fixed: {} };
    case 'batch-norm':
    case 'layer-norm': {
      const [, features = 1] = problem.shape;
      const size = count(problem.shape);
      const scale = uniform(seeds.scale, features, 0.5).map((value) => value + 1);
      return { batches: draw(size), fixed: { scale, shift: uniform(seeds.shift, features, 0.5), cotangent: uniform(seeds.cotangent, size) } };
    }
    case 'softmax': {
      const size = count(problem.shape);
      return { batches: draw(size), fixed: { cotangent: uniform(seeds.cotangent, size) } };
    }
    case 'conv': {
      const [, channels] = problem.input;
      const fanIn = channels * problem.kernel ** 2;
      const weight = uniform(seeds.weight, problem.outputs * fanIn, Math.fround(1 / Math.sqrt(fanIn)));
      const cotangent = problem.train ? { cotangent: uniform(seeds.cotangent, count(convOutput(problem))) } : {};
      return { batches: draw(count(problem.input)), fixed: { weight, ...cotangent } };
    }
    case 'lenet5':
      return images(28 * 28, problem.batch);
    case 'resnet20':
      return images(3 * problem.side ** 2, problem.batch);
    case 'mlp':
      return images(problem.sizes[0] ?? 1, problem.batch);
    case 'unet': {
      const size = problem.batch * problem.side ** 2;
      const noise = (i: number): Partial<Batch> => (problem.train ? { second: uniform(seeds.second + i, size) } : {});
      return { batches: perBatch((i) => ({ x: uniform(seeds.x + i, size), ...noise(i), labels: labels(seeds.labels + i, problem.batch, timesteps) })), fixed: {} };
    }
    default:
      return problem satisfies never;
  }
}
