// The networks in TensorFlow.js, with the parameters of models.ts in TensorFlow.js's layouts.
import type * as tf from '@tensorflow/tfjs-core';
import { parametersOf, resnetBlocks, resnetWidths, type ModelProblem } from '../models.ts';
import { inputsOf, startValues, type Parameter } from '../numbers.ts';
import { batches, classes, epsilon, learningRate, momentum, type Step } from '../problem.ts';
import { channelsLast, channelsLastShape, filterLayout } from './tfjs-steps.ts';
import type { Tfjs } from './tfjs-runtime.ts';

type Image = tf.Tensor4D;

/** Hands out a network's parameters in order. */
class Parameters {
  readonly #variables: readonly tf.Variable[];
  #next = 0;

  constructor(variables: readonly tf.Variable[]) {
    this.#variables = variables;
  }

  take<R extends tf.Rank>(): tf.Variable<R> {
    const variable = this.#variables[this.#next++];
    if (variable === undefined) throw new Error('the network takes more parameters than it has');
    return variable as tf.Variable<R>;
  }
}

function variableOf(core: Tfjs, parameter: Parameter, index: number): tf.Variable {
  const values = startValues(parameter, index);
  const [a = 1, b = 1, c = 1, d = 1] = parameter.shape;
  switch (parameter.shape.length) {
    case 4:
      return core.variable(core.tensor4d(filterLayout(values, [a, b, c, d]), [c, d, b, a]));
    case 2:
      return core.variable(core.transpose(core.tensor2d(values, [a, b])));
    default:
      return core.variable(core.tensor1d(values));
  }
}

function dense(core: Tfjs, x: tf.Tensor2D, parameters: Parameters): tf.Tensor2D {
  return core.add(core.matMul(x, parameters.take<tf.Rank.R2>()), parameters.take<tf.Rank.R1>());
}

function lenet5(core: Tfjs, images: Image, parameters: Parameters): tf.Tensor2D {
  const block = (x: Image, padding: number): Image => {
    const convolved = core.conv2d(x, parameters.take<tf.Rank.R4>(), 1, padding);
    const biased: Image = core.add(convolved, parameters.take<tf.Rank.R1>());
    const active: Image = core.tanh(biased);
    return core.avgPool(active, 2, 2, 'valid');
  };
  const features = block(block(images, 2), 0);
  const [n] = features.shape;
  const flat = core.reshape(core.transpose(features, [0, 3, 1, 2]), [n, 400]) as tf.Tensor2D;
  return dense(core, core.tanh(dense(core, core.tanh(dense(core, flat, parameters)), parameters)), parameters);
}

function resnet20(core: Tfjs, images: Image, parameters: Parameters): tf.Tensor2D {
  const normalized = (x: Image, stride: number, padding: number): Image => {
    const convolved = core.conv2d(x, parameters.take<tf.Rank.R4>(), stride, padding);
    const { mean, variance } = core.moments(convolved, [0, 1, 2]);
    const scale = parameters.take<tf.Rank.R1>();
    return core.batchNorm<tf.Rank.R4>(convolved, mean as tf.Tensor1D, variance as tf.Tensor1D, parameters.take<tf.Rank.R1>(), scale, epsilon);
  };
  let x = core.relu(normalized(images, 1, 1));
  let channels = 16;
  resnetWidths.forEach((width, stage) => {
    for (let block = 0; block < resnetBlocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const body = normalized(core.relu(normalized(x, stride, 1)), 1, 1);
      x = core.relu(core.add(body, channels === width ? x : normalized(x, stride, 0)));
      channels = width;
    }
  });
  return dense(core, core.mean(x, [1, 2]), parameters);
}

function mlp(core: Tfjs, x: tf.Tensor2D, parameters: Parameters, layers: number): tf.Tensor2D {
  let hidden = x;
  for (let layer = 0; layer < layers; layer++) {
    const out = dense(core, hidden, parameters);
    hidden = layer + 1 < layers ? core.relu(out) : out;
  }
  return hidden;
}

/** A training step of a network: cross-entropy, gradients, update; reads the loss. */
export function trainingStep(core: Tfjs, problem: ModelProblem): Step {
  const inputs = inputsOf(problem);
  const variables = parametersOf(problem).map((parameter, index) => variableOf(core, parameter, index));
  const optimizer = problem.kind === 'mlp' ? core.train.adam(learningRate.adam) : core.train.momentum(learningRate.sgd, momentum);
  const imageShape = problem.kind === 'resnet20' ? ([problem.batch, 3, problem.side, problem.side] as const) : ([problem.batch, 1, 28, 28] as const);
  const host = inputs.batches.map(({ x }) => (problem.kind === 'mlp' ? x : channelsLast(x, imageShape)));
  const logitsOf = (i: number): tf.Tensor2D => {
    const parameters = new Parameters(variables);
    const values = host[i] ?? new Float32Array();
    if (problem.kind === 'mlp') return mlp(core, core.tensor2d(values, [problem.batch, problem.sizes[0] ?? 1]), parameters, problem.sizes.length - 1);
    const images = core.tensor4d(values, channelsLastShape(imageShape));
    return problem.kind === 'lenet5' ? lenet5(core, images, parameters) : resnet20(core, images, parameters);
  };
  return (i) => {
    const batch = i % batches;
    const loss = core.tidy(() => {
      const target = core.oneHot(core.tensor1d(inputs.batches[batch]?.labels ?? new Int32Array(), 'int32'), classes);
      const cost = optimizer.minimize(() => core.losses.softmaxCrossEntropy(target, logitsOf(batch)), true, variables);
      if (cost === null) throw new Error('minimize returned no loss');
      return cost;
    });
    const [value = NaN] = loss.dataSync();
    loss.dispose();
    return value;
  };
}
