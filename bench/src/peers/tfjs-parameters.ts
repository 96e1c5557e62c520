// A network's parameters in TensorFlow.js's layouts, handed out in the order of models.ts, and the layers that take them.
import type * as tf from '@tensorflow/tfjs-core';
import { parametersOf, type ModelProblem } from '../models.ts';
import { startValues, type Parameter } from '../numbers.ts';
import { filterLayout } from './tfjs-steps.ts';
import type { Tfjs } from './tfjs-runtime.ts';

export type Image = tf.Tensor4D;

/** Hands out a network's parameters in order. */
export class Parameters {
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

/** x · W + b */
export function dense(core: Tfjs, x: tf.Tensor2D, parameters: Parameters): tf.Tensor2D {
  return core.add(core.matMul(x, parameters.take<tf.Rank.R2>()), parameters.take<tf.Rank.R1>());
}

/** A convolution of [N, H, W, C] with a bias. */
export function convolve(core: Tfjs, x: Image, parameters: Parameters, stride: number, padding: number): Image {
  const convolved = core.conv2d(x, parameters.take<tf.Rank.R4>(), stride, padding);
  return core.add(convolved, parameters.take<tf.Rank.R1>());
}

/** The parameters that a network starts with. */
export function variablesOf(core: Tfjs, problem: ModelProblem): tf.Variable[] {
  return parametersOf(problem).map((parameter, index) => variableOf(core, parameter, index));
}
