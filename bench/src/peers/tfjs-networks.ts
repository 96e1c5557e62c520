// Steps of the networks in TensorFlow.js: training, and sampling from the diffusion model.
import type * as tf from '@tensorflow/tfjs-core';
import type { ModelProblem } from '../models.ts';
import { inputsOf } from '../numbers.ts';
import { batches, classes, learningRate, momentum, samplerRate, samplerScale, type Step } from '../problem.ts';
import { lenet5, mlp, resnet20 } from './tfjs-classifiers.ts';
import { Parameters, variablesOf } from './tfjs-parameters.ts';
import { channelsLast, channelsLastShape } from './tfjs-steps.ts';
import type { Tfjs } from './tfjs-runtime.ts';
import { unet } from './tfjs-unet.ts';

type ImageShape = readonly [number, number, number, number];

/** [N, C, H, W] of a network's images; nothing for the perceptron. */
function imageShape(problem: ModelProblem): ImageShape | undefined {
  switch (problem.kind) {
    case 'lenet5':
      return [problem.batch, 1, 28, 28];
    case 'resnet20':
      return [problem.batch, 3, problem.side, problem.side];
    case 'unet':
      return [problem.batch, 1, problem.side, problem.side];
    case 'mlp':
      return undefined;
    default:
      return problem satisfies never;
  }
}

/** What step `i` computes before any update: the loss, or the sampler's next images. */
function forwardOf(core: Tfjs, problem: ModelProblem, variables: readonly tf.Variable[]): (i: number) => tf.Tensor {
  const { batches: all } = inputsOf(problem);
  const shape = imageShape(problem);
  const turned = (values: Float32Array | undefined): Float32Array => {
    if (values === undefined) return new Float32Array();
    return shape === undefined ? values : channelsLast(values, shape);
  };
  const host = all.map(({ x, second, labels = new Int32Array() }) => ({ x: turned(x), noise: turned(second), labels }));
  return (i) => {
    const { x, noise, labels: numbers } = host[i] ?? { x: turned(undefined), noise: turned(undefined), labels: new Int32Array() };
    const parameters = new Parameters(variables);
    const labels = core.tensor1d(numbers, 'int32');
    const images = (values: Float32Array): tf.Tensor4D => core.tensor4d(values, channelsLastShape(shape ?? [0, 0, 0, 0]));
    const entropy = (logits: tf.Tensor2D): tf.Tensor => core.losses.softmaxCrossEntropy(core.oneHot(labels, classes), logits);
    switch (problem.kind) {
      case 'lenet5':
        return entropy(lenet5(core, images(x), parameters));
      case 'resnet20':
        return entropy(resnet20(core, images(x), parameters));
      case 'mlp':
        return entropy(mlp(core, core.tensor2d(x, [problem.batch, problem.sizes[0] ?? 1]), parameters, problem.sizes.length - 1));
      case 'unet': {
        const input = images(x);
        const predicted = unet(core, input, labels, parameters);
        if (problem.train) return core.mean(core.squaredDifference(predicted, images(noise)));
        return core.mul(core.sub(input, core.mul(predicted, samplerRate)), samplerScale);
      }
      default:
        return problem satisfies never;
    }
  };
}

function lastOf(core: Tfjs, x: tf.Tensor): tf.Tensor {
  return x.rank === 0 ? x : core.slice(x, x.shape.map((size) => size - 1), x.shape.map(() => 1));
}

/** A step that reads the loss, or the last pixel that the sampler made. */
export function networkStep(core: Tfjs, problem: ModelProblem): Step {
  const variables = variablesOf(core, problem);
  const forward = forwardOf(core, problem, variables);
  const withAdam = problem.kind === 'mlp' || problem.kind === 'unet';
  const optimizer = withAdam ? core.train.adam(learningRate.adam) : core.train.momentum(learningRate.sgd, momentum);
  const trains = problem.kind !== 'unet' || problem.train;
  return (i) => {
    const batch = i % batches;
    const result = core.tidy(() => {
      if (!trains) return lastOf(core, forward(batch));
      const cost = optimizer.minimize(() => forward(batch) as tf.Scalar, true, variables);
      if (cost === null) throw new Error('minimize returned no loss');
      return cost;
    });
    const [value = NaN] = result.dataSync();
    result.dispose();
    return value;
  };
}
