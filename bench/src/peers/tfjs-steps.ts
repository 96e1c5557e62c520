// The problems in TensorFlow.js: every one but the networks. Images are NHWC there, so inputs are turned beforehand.
import type * as tf from '@tensorflow/tfjs-core';
import { convOutput, inputsOf, type Inputs } from '../numbers.ts';
import { batches, epsilon, geluScale, geluShift, type Problem, type ProblemOf, type Step } from '../problem.ts';
import type { ModelProblem } from '../models.ts';
import type { Tfjs } from './tfjs-runtime.ts';

type Shape4 = readonly [number, number, number, number];

/** [N, C, H, W] values in the order [N, H, W, C]. */
export function channelsLast(values: Float32Array, [n, c, h, w]: Shape4): Float32Array {
  const out = new Float32Array(values.length);
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      const from = (image * c + channel) * h * w;
      for (let pixel = 0; pixel < h * w; pixel++) out[(image * h * w + pixel) * c + channel] = values[from + pixel] ?? 0;
    }
  }
  return out;
}

export const channelsLastShape = ([n, c, h, w]: Shape4): [number, number, number, number] => [n, h, w, c];

/** [out, in, h, w] values in the order [h, w, in, out]. */
export function filterLayout(values: Float32Array, [outputs, inputs, h, w]: Shape4): Float32Array {
  const taps = h * w;
  const out = new Float32Array(values.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) out[(tap * inputs + i) * outputs + o] = values[(o * inputs + i) * taps + tap] ?? 0;
    }
  }
  return out;
}

/** Runs `compute` on batch `i` without leaving tensors behind, and reads the last element of what it returns. */
function reading(core: Tfjs, compute: (i: number) => tf.Tensor): Step {
  return (i) => {
    const last = core.tidy(() => {
      const result = compute(i % batches);
      return result.size === 1 ? result : core.slice(result, result.shape.map((size) => size - 1), result.shape.map(() => 1));
    });
    const [value = NaN] = last.dataSync();
    last.dispose();
    return value;
  };
}

const batchOf = (inputs: Inputs, i: number): Inputs['batches'][number] => inputs.batches[i] ?? { x: new Float32Array() };
const none = new Float32Array();

function tiny(core: Tfjs, problem: ProblemOf<'tiny-op' | 'tiny-backward'>): Step {
  const inputs = inputsOf(problem);
  const weight = core.tensor1d(inputs.fixed.weight ?? none);
  if (problem.kind === 'tiny-op') return reading(core, (i) => core.add(core.tensor1d(batchOf(inputs, i).x), weight));
  const lossAndGradient = core.valueAndGrads((x: tf.Tensor, w: tf.Tensor) => core.sum(core.mul(x, w)));
  return reading(core, (i) => lossAndGradient([core.tensor1d(batchOf(inputs, i).x), weight]).value);
}

function chain(core: Tfjs, problem: ProblemOf<'chain'>): Step {
  const inputs = inputsOf(problem);
  const weight = core.tensor2d(inputs.fixed.weight ?? none, [4, 4]);
  return reading(core, (i) => {
    let x = core.tensor2d(batchOf(inputs, i).x, [4, 4]);
    for (let link = 0; link < problem.length; link++) x = core.matMul(x, weight);
    return x;
  });
}

function matmul(core: Tfjs, problem: ProblemOf<'matmul'>): Step {
  const inputs = inputsOf(problem);
  const shape: [number, number] = [problem.n, problem.n];
  return reading(core, (i) => {
    const { x, second = none } = batchOf(inputs, i);
    return core.matMul(core.tensor2d(x, shape), core.tensor2d(second, shape), problem.form === 'TN', problem.form === 'NT');
  });
}

function gelu(core: Tfjs, problem: ProblemOf<'gelu'>): Step {
  const inputs = inputsOf(problem);
  const slope = Math.sqrt(2 / Math.PI);
  return reading(core, (i) => {
    const u = core.add(core.mul(core.tensor1d(batchOf(inputs, i).x), geluScale), geluShift);
    const cube = core.mul(core.mul(u, u), u);
    const inner = core.mul(core.add(u, core.mul(cube, 0.044715)), slope);
    return core.mul(core.mul(u, 0.5), core.add(core.tanh(inner), 1));
  });
}

function batchNorm(core: Tfjs, problem: ProblemOf<'batch-norm'>): Step {
  const inputs = inputsOf(problem);
  const images = inputs.batches.map(({ x }) => channelsLast(x, problem.shape));
  const shape = channelsLastShape(problem.shape);
  const { scale = none, shift = none, cotangent = none } = inputs.fixed;
  const fixed = [core.tensor1d(scale), core.tensor1d(shift)] as const;
  const dy = core.tensor4d(channelsLast(cotangent, problem.shape), shape);
  const gradients = core.grads((x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
    const { mean, variance } = core.moments(x, [0, 1, 2]);
    return core.batchNorm(x as tf.Tensor4D, mean as tf.Tensor1D, variance as tf.Tensor1D, beta as tf.Tensor1D, gamma as tf.Tensor1D, epsilon);
  });
  return reading(core, (i) => gradients([core.tensor4d(images[i] ?? none, shape), ...fixed], dy)[1] ?? dy);
}

function layerNorm(core: Tfjs, problem: ProblemOf<'layer-norm'>): Step {
  const inputs = inputsOf(problem);
  const shape: [number, number] = [...problem.shape];
  const { scale = none, shift = none, cotangent = none } = inputs.fixed;
  const fixed = [core.tensor1d(scale), core.tensor1d(shift)] as const;
  const dy = core.tensor2d(cotangent, shape);
  const gradients = core.grads((x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
    const { mean, variance } = core.moments(x, 1, true);
    const normal = core.mul(core.sub(x, mean), core.rsqrt(core.add(variance, epsilon)));
    return core.add(core.mul(normal, gamma), beta);
  });
  return reading(core, (i) => gradients([core.tensor2d(batchOf(inputs, i).x, shape), ...fixed], dy)[1] ?? dy);
}

function softmax(core: Tfjs, problem: ProblemOf<'softmax'>): Step {
  const inputs = inputsOf(problem);
  const shape: [number, number] = [...problem.shape];
  const dy = core.tensor2d(inputs.fixed.cotangent ?? none, shape);
  const gradient = core.grad((x: tf.Tensor) => core.softmax(x));
  return reading(core, (i) => gradient(core.tensor2d(batchOf(inputs, i).x, shape), dy));
}

function conv(core: Tfjs, problem: ProblemOf<'conv'>): Step {
  const inputs = inputsOf(problem);
  const images = inputs.batches.map(({ x }) => channelsLast(x, problem.input));
  const shape = channelsLastShape(problem.input);
  const { outputs, kernel, padding, input } = problem;
  const [, channels] = input;
  const { weight = none, cotangent = none } = inputs.fixed;
  const filter = core.tensor4d(filterLayout(weight, [outputs, channels, kernel, kernel]), [kernel, kernel, channels, outputs]);
  if (!problem.train) return reading(core, (i) => core.conv2d(core.tensor4d(images[i] ?? none, shape), filter, 1, padding));
  const outputShape = convOutput(problem);
  const dy = core.tensor4d(channelsLast(cotangent, outputShape), channelsLastShape(outputShape));
  const gradients = core.grads((x: tf.Tensor, w: tf.Tensor) => core.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, padding));
  return reading(core, (i) => gradients([core.tensor4d(images[i] ?? none, shape), filter], dy)[1] ?? dy);
}

/** The step of a problem that is no network. */
export function operationStep(core: Tfjs, problem: Exclude<Problem, ModelProblem>): Step {
  switch (problem.kind) {
    case 'tiny-op':
    case 'tiny-backward':
      return tiny(core, problem);
    case 'chain':
      return chain(core, problem);
    case 'matmul':
      return matmul(core, problem);
    case 'gelu':
      return gelu(core, problem);
    case 'batch-norm':
      return batchNorm(core, problem);
    case 'layer-norm':
      return layerNorm(core, problem);
    case 'softmax':
      return softmax(core, problem);
    case 'conv':
      return conv(core, problem);
    default:
      return problem satisfies never;
  }
}
