// Reparametrizations: a layer computes with a function of its weight. Unlike normalizations of activations they wrap the
// layer, whose raw weight stays what is trained.
import type { Tensor } from '@athanor/core';
import { Conv1d, Conv2d, Conv3d, Linear, Module, functional, replace, type TensorModule } from '@athanor/core/nn';

export type Convolution = Conv1d | Conv2d | Conv3d;

/** The layers that can be wrapped; their weights are [out, in / groups, …kernel]. */
export type WeightedLayer = Linear | Convolution;

/** Makes the layer that stands in the place of a plain one. */
export type Reparametrization = (layer: WeightedLayer) => TensorModule;

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    reparametrization: Reparametrization;
  }
}

/** Whether a module is a linear layer or a convolution. */
export function isWeighted(module: Module): module is WeightedLayer {
  return module instanceof Linear || module instanceof Conv1d || module instanceof Conv2d || module instanceof Conv3d;
}

export function isConvolution(layer: WeightedLayer): layer is Convolution {
  return 'stride' in layer;
}

/** What a layer computes, with another weight and bias. */
export function computeWith(layer: WeightedLayer, x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  if (!isConvolution(layer)) return functional.linear(x, weight, bias);
  const { stride, padding, paddingMode, dilation, groups } = layer;
  return functional.convolution(x, weight, { stride, padding, paddingMode, dilation, groups, bias });
}

/** All axes of a weight but that of its outputs. */
export function fanInAxes(weight: Tensor): number[] {
  return weight.shape.flatMap((_, axis) => (axis === 0 ? [] : [axis]));
}

/** Values per output, [out], in a shape that broadcasts over the weight. */
export function perOutput(values: Tensor, weight: Tensor): Tensor {
  return values.reshape(weight.shape.map((size, axis) => (axis === 0 ? size : 1)));
}

/** The axis of a layer's output that counts its units. */
export function outputAxis(layer: WeightedLayer, y: Tensor): number {
  return isConvolution(layer) ? 1 : y.ndim - 1;
}

/** Values per output, [out], in a shape that broadcasts over a layer's output. */
export function overOutput(values: Tensor, layer: WeightedLayer, y: Tensor): Tensor {
  const axis = outputAxis(layer, y);
  return values.reshape(y.shape.map((size, i) => (i === axis ? size : 1)));
}

/** A layer that computes with `weight()` in place of its own. */
export abstract class ReparametrizedLayer extends Module {
  /** Holds the raw weight and the bias. */
  readonly layer: WeightedLayer;

  constructor(layer: WeightedLayer) {
    super();
    this.layer = layer;
  }

  /** The weight that the layer uses. */
  abstract weight(): Tensor;

  override forward(x: Tensor): Tensor {
    return computeWith(this.layer, x, this.weight(), this.layer.bias?.value);
  }
}

/** Puts reparametrized layers in the place of all plain ones that a predicate picks; returns their paths. */
export function reparametrize(model: Module, make: Reparametrization, predicate: (path: string) => boolean = () => true): string[] {
  const done = model.namedModules().flatMap(([path, module]) => (module instanceof ReparametrizedLayer ? [`${path}.`] : []));
  return replace(
    model,
    (module, path) => isWeighted(module) && predicate(path) && !done.some((outer) => path.startsWith(outer)),
    (module) => (isWeighted(module) ? make(module) : module),
  );
}
