// LeNet-5, ResNet-20 and the perceptron in TensorFlow.js.
import type * as tf from '@tensorflow/tfjs-core';
import { resnetBlocks, resnetWidths } from '../models.ts';
import { epsilon } from '../problem.ts';
import { convolve, dense, type Image, type Parameters } from './tfjs-parameters.ts';
import type { Tfjs } from './tfjs-runtime.ts';

/** Logits [N, 10] of [N, 28, 28, 1]. */
export function lenet5(core: Tfjs, images: Image, parameters: Parameters): tf.Tensor2D {
  const block = (x: Image, padding: number): Image => {
    const active: Image = core.tanh(convolve(core, x, parameters, 1, padding));
    return core.avgPool(active, 2, 2, 'valid');
  };
  const features = block(block(images, 2), 0);
  const [n] = features.shape;
  const flat = core.reshape(core.transpose(features, [0, 3, 1, 2]), [n, 400]) as tf.Tensor2D;
  return dense(core, core.tanh(dense(core, core.tanh(dense(core, flat, parameters)), parameters)), parameters);
}

/** Logits [N, 10] of [N, H, W, 3]. */
export function resnet20(core: Tfjs, images: Image, parameters: Parameters): tf.Tensor2D {
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

/** Logits of [N, inputs]. */
export function mlp(core: Tfjs, x: tf.Tensor2D, parameters: Parameters, layers: number): tf.Tensor2D {
  let hidden = x;
  for (let layer = 0; layer < layers; layer++) {
    const out = dense(core, hidden, parameters);
    hidden = layer + 1 < layers ? core.relu(out) : out;
  }
  return hidden;
}
