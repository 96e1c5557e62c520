// TensorFlow.js on its WebAssembly backend, made able to train: its Node build leaves out the gradients, and the
// backend has no gradient for convolution filters. Both are added here; everything else is as shipped.
import { createRequire, register } from 'node:module';
import { dirname, join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type * as wasm from '@tensorflow/tfjs-backend-wasm';

export type Tfjs = typeof tf;

const require = createRequire(import.meta.url);

/** The gradients are ES modules in files that Node takes for CommonJS, with imports that leave out the extension. */
const hooks = `
const mine = (url) => url !== undefined && url.includes('/@tensorflow/tfjs-core/dist/') && !url.endsWith('.node.js');
export const resolve = (specifier, context, next) =>
  next(mine(context.parentURL) && specifier.startsWith('.') && !specifier.endsWith('.js') ? specifier + '.js' : specifier, context);
export const load = (url, context, next) => next(url, mine(url) ? { ...context, format: 'module' } : context);
`;

interface FilterGradient {
  readonly inputs: { readonly x: tf.Tensor4D; readonly dy: tf.Tensor4D };
  readonly attrs: {
    readonly strides: number | [number, number];
    readonly pad: number | 'valid' | 'same';
    readonly filterShape: [number, number, number, number];
  };
}

/** For each position of the kernel: (its shifted image)ᵀ · dy, as a matrix product. */
function filterGradient(core: Tfjs, { inputs: { x, dy }, attrs: { strides, pad, filterShape } }: FilterGradient): tf.Tensor {
  const info = core.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const { top, bottom, left, right } = info.padInfo;
  const { batchSize: n, inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const { strideHeight: down, strideWidth: across } = info;
  return core.tidy(() => {
    const padded = core.pad(core.transpose(x, [3, 0, 1, 2]), [[0, 0], [0, 0], [top, bottom], [left, right]]);
    const columns = core.reshape(dy, [n * outHeight * outWidth, outChannels]);
    const taps: tf.Tensor[] = [];
    for (let row = 0; row < filterHeight; row++) {
      for (let column = 0; column < filterWidth; column++) {
        const end = [inChannels, n, row + (outHeight - 1) * down + 1, column + (outWidth - 1) * across + 1];
        const shifted = core.stridedSlice(padded, [0, 0, row, column], end, [1, 1, down, across]);
        taps.push(core.matMul(core.reshape(shifted, [inChannels, n * outHeight * outWidth]), columns));
      }
    }
    return core.reshape(core.stack(taps), filterShape);
  });
}

let loaded: Promise<Tfjs> | undefined;

async function load(): Promise<Tfjs> {
  const core = require('@tensorflow/tfjs-core') as Tfjs;
  const backend = require('@tensorflow/tfjs-backend-wasm') as typeof wasm;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
  const gradients = '@tensorflow/tfjs-core/dist/register_all_gradients.js';
  await import(gradients);
  core.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'wasm',
    kernelFunc: (question) => filterGradient(core, question as unknown as FilterGradient),
  });
  backend.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
  if (!(await core.setBackend('wasm'))) throw new Error('TensorFlow.js could not start its wasm backend');
  await core.ready();
  return core;
}

/** TensorFlow.js with the wasm backend running. */
export async function loadTfjs(): Promise<Tfjs> {
  loaded ??= load();
  return await loaded;
}
