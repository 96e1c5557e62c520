// The U-Net in TensorFlow.js, with images [N, H, W, C].
import type * as tf from '@tensorflow/tfjs-core';
import { timeFeatures, unetGroups, unetParts } from '../models.ts';
import { epsilon } from '../problem.ts';
import { convolve, dense, type Image, type Parameters } from './tfjs-parameters.ts';
import type { Tfjs } from './tfjs-runtime.ts';

function groupNorm(core: Tfjs, x: Image, parameters: Parameters): Image {
  const [n, h, w, c] = x.shape;
  const groups = core.reshape(x, [n, h * w, unetGroups, c / unetGroups]);
  const { mean, variance } = core.moments(groups, [1, 3], true);
  const normal = core.reshape(core.mul(core.sub(groups, mean), core.rsqrt(core.add(variance, epsilon))), x.shape);
  const scaled = core.mul(normal, parameters.take<tf.Rank.R1>());
  return core.add(scaled, parameters.take<tf.Rank.R1>());
}

const silu = <T extends tf.Tensor>(core: Tfjs, x: T): T => core.mul(x, core.sigmoid(x));

function attend(core: Tfjs, x: Image, parameters: Parameters): Image {
  const [n, h, w, c] = x.shape;
  const qkv = core.reshape(convolve(core, groupNorm(core, x, parameters), parameters, 1, 0), [n, h * w, 3 * c]);
  const [q = qkv, k = qkv, v = qkv] = core.split(qkv, 3, -1);
  const weights = core.softmax(core.mul(core.matMul(q, k, false, true), 1 / Math.sqrt(c)));
  const mixed: Image = core.reshape(core.matMul(weights, v), x.shape);
  return core.add(x, convolve(core, mixed, parameters, 1, 0));
}

interface BlockPlan {
  readonly inputs: number;
  readonly outputs: number;
  readonly attention: boolean;
}

function block(core: Tfjs, x: Image, time: tf.Tensor2D, parameters: Parameters, { inputs, outputs, attention }: BlockPlan): Image {
  const first = convolve(core, silu(core, groupNorm(core, x, parameters)), parameters, 1, 1);
  const shift = core.reshape(dense(core, time, parameters), [x.shape[0], 1, 1, outputs]);
  const h: Image = core.add(first, shift);
  const residual = convolve(core, silu(core, groupNorm(core, h, parameters)), parameters, 1, 1);
  const y: Image = core.add(residual, inputs === outputs ? x : convolve(core, x, parameters, 1, 0));
  return attention ? attend(core, y, parameters) : y;
}

function embed(core: Tfjs, t: tf.Tensor1D, parameters: Parameters): tf.Tensor2D {
  const half = timeFeatures.sinusoids / 2;
  const ω = core.exp(core.mul(core.range(0, half), -Math.log(10_000) / (half - 1)));
  const angles = core.mul(core.expandDims(core.cast(t, 'float32'), 1), ω);
  const features = core.concat([core.sin(angles), core.cos(angles)], 1) as tf.Tensor2D;
  return silu(core, dense(core, silu(core, dense(core, features, parameters)), parameters));
}

/** The noise in [N, H, W, 1] at steps [N]. */
export function unet(core: Tfjs, images: Image, t: tf.Tensor1D, parameters: Parameters): Image {
  const time = embed(core, t, parameters);
  let h = convolve(core, images, parameters, 1, 1);
  const kept = [h];
  for (const part of unetParts()) {
    switch (part.kind) {
      case 'block':
        if (part.skip === 'append') h = core.concat([h, kept.pop() ?? h], 3);
        h = block(core, h, time, parameters, part);
        break;
      case 'down':
        h = convolve(core, h, parameters, 2, 1);
        break;
      case 'up': {
        const [, height, width] = h.shape;
        h = convolve(core, core.image.resizeNearestNeighbor(h, [2 * height, 2 * width]), parameters, 1, 1);
        break;
      }
      default:
        part satisfies never;
    }
    if (part.kind === 'down' || (part.kind === 'block' && part.skip === 'keep')) kept.push(h);
  }
  return convolve(core, silu(core, groupNorm(core, h, parameters)), parameters, 1, 1);
}
