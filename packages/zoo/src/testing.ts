// For tests: what a network costs, by the counting rules of the literature: weights count once, multiply-accumulates of
// convolutions and linear layers for one sample, nothing else.
import { zeros, type Tensor } from '@athanor/core';
import { Conv2d, Linear, type Module, type TensorModule } from '@athanor/core/nn';

export function parameterCount(model: Module): number {
  return model.parameters().reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

/** Multiply-accumulates for one sample [C, H, W]. */
export function macCount(model: TensorModule, input: readonly number[]): number {
  let count = 0;
  const removals = model.modules().flatMap((module) => {
    if (!(module instanceof Conv2d || module instanceof Linear)) return [];
    const { shape } = module.weight;
    const perOutput = shape.slice(1).reduce((product, size) => product * size, 1);
    return [module.registerForwardHook((_module, _inputs, output) => void (count += (output as Tensor).size * perOutput))];
  });
  model.forward(zeros([1, ...input]));
  for (const remove of removals) remove();
  return count;
}
