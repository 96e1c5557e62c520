// What passes through a model, by layer: moments of activations, lengths of gradients and weights, effective learning rate.
import { compile, flush, grad, readAll, stack, type Tensor } from '@athanor/core';
import type { Module, TensorModule } from '@athanor/core/nn';
import { layoutOf, spanAxes } from '../framework/layout.ts';
import { parameterLayers, type Moments } from './covariate-shift.ts';
import { keepingBuffers, lengthOf } from './evaluate-at.ts';

/** The output of the modules at some paths in one forward pass, in the model's mode; buffers are left as they are. */
export function outputsAt(model: TensorModule, paths: readonly string[], inputs: Tensor): Tensor[] {
  const modules = new Map(model.namedModules());
  const seen = new Map<string, Tensor>();
  const remove = paths.map((path) => {
    const module = modules.get(path);
    if (module === undefined) throw new RangeError(`there is no module ${JSON.stringify(path)} (there are ${[...modules.keys()].filter((name) => name !== '').join(', ')})`);
    return module.registerForwardHook((_, __, output) => void seen.set(path, output as Tensor));
  });
  flush();
  try {
    keepingBuffers(model, () => model.forward(inputs));
  } finally {
    for (const undo of remove) undo();
  }
  return paths.map((path) => {
    const output = seen.get(path);
    if (output === undefined) throw new RangeError(`the forward pass does not reach ${path}`);
    return output;
  });
}

/** Mean and standard deviation of each channel over samples and positions. [N, C], [N, T, C], [N, C, H, W]. */
export async function channelMoments(outputs: readonly Tensor[]): Promise<Moments[]> {
  const values = await readAll(
    outputs.flatMap((x) => {
      const axes = spanAxes('batch', layoutOf(x));
      return [x.mean(axes), x.var(axes, { correction: 0 }).sqrt()];
    }),
  );
  return outputs.map((_, i) => ({ mean: values[2 * i] ?? [], std: values[2 * i + 1] ?? [] }));
}

/** What one layer's weights do at one time. */
export interface LayerState {
  readonly name: string;
  /** ‖W‖ */
  readonly weightNorm: number;
  /** ‖∂L/∂W‖ */
  readonly gradientNorm: number;
  /** lr / ‖W‖²: what the learning rate amounts to for weights whose length does not matter (van Laarhoven 2017). */
  readonly effectiveRate: number;
  /** lr ‖∂L/∂W‖ / ‖W‖: how far a step turns the weights. */
  readonly turn: number;
}

/** A function that measures the weights and gradients of each layer on a batch, and the effective learning rate. */
export function layerProbe(
  model: Module,
  loss: (inputs: Tensor, labels: Tensor) => Tensor,
): (inputs: Tensor, labels: Tensor, lr: number) => Promise<LayerState[]> {
  const layers = parameterLayers(model);
  const measure = compile((inputs: Tensor, labels: Tensor) =>
    keepingBuffers(model, () => {
      const weights = layers.map(({ weight }) => weight.value);
      return stack([...weights, ...grad(loss(inputs, labels), weights)].map((values) => lengthOf([values])));
    }),
  );
  return async (inputs, labels, lr) => {
    const values = await measure(inputs, labels).data();
    return layers.map(({ name }, i) => {
      const [weightNorm = NaN, gradientNorm = NaN] = [values[i], values[layers.length + i]];
      return { name, weightNorm, gradientNorm, effectiveRate: lr / weightNorm ** 2, turn: (lr * gradientNorm) / weightNorm };
    });
  };
}
