// Weight normalization (Salimans & Kingma 2016, arXiv 1602.07868): w = g v/‖v‖ for each output, the length g and the
// direction v learned apart.
import { UserError, type Tensor } from '@athanor/core';
import { Parameter, type Module } from '@athanor/core/nn';
import { filled } from '../framework/norm.ts';
import { ReparametrizedLayer, computeWith, fanInAxes, outputAxis, perOutput, type WeightedLayer } from './layer.ts';

export interface WeightNormOptions {
  /** The length at the start. `preserve`: ‖v‖, so that nothing changes (default, as in PyTorch); `unit`: 1 (as in Flax). */
  readonly init?: 'preserve' | 'unit';
}

const kept = { keepdim: true };

function lengths(weight: Tensor): Tensor {
  return weight.square().sum(fanInAxes(weight), kept).sqrt();
}

export class WeightNorm extends ReparametrizedLayer {
  /** g [out] */
  readonly scale: Parameter;
  /** Set while `initializeFromData` runs. */
  initializing = false;

  constructor(layer: WeightedLayer, options: WeightNormOptions = {}) {
    super(layer);
    const { dtype, shape } = layer.weight;
    const [outputs = 0] = shape;
    this.scale = new Parameter({ shape: [outputs], dtype, initial: filled(1, outputs, dtype) });
    if ((options.init ?? 'preserve') === 'preserve') this.scale.assign(lengths(layer.weight.value).reshape(outputs));
  }

  override weight(): Tensor {
    const v = this.layer.weight.value;
    return v.mul(perOutput(this.scale.value, v).div(lengths(v)));
  }

  override forward(x: Tensor): Tensor {
    if (this.initializing) this.#initialize(x);
    return super.forward(x);
  }

  /** g = 1/√(var t + 1e-10) and b = −g mean t for the outputs t of unit directions. */
  #initialize(x: Tensor): void {
    const { layer, scale } = this;
    const v = layer.weight.value;
    const t = computeWith(layer, x, v.div(lengths(v)), undefined);
    const axes = t.shape.flatMap((_, axis) => (axis === outputAxis(layer, t) ? [] : [axis]));
    scale.assign(t.var(axes, { correction: 0 }).add(1e-10).rsqrt());
    layer.bias?.assign(t.mean(axes).mul(scale.value).neg());
  }
}

/**
 * Data-dependent initialisation: runs a batch through the model, and gives each weight-normalized layer in turn the length
 * and the bias with which its outputs have mean 0 and variance 1, before the next layer sees them.
 */
export function initializeFromData(model: Module & { forward(x: Tensor): Tensor }, x: Tensor): void {
  const layers = model.modules().filter((module) => module instanceof WeightNorm);
  if (layers.length === 0) throw new UserError('initializeFromData: the model has no weight-normalized layer', { remedy: 'reparametrize it first' });
  for (const layer of layers) layer.initializing = true;
  try {
    model.forward(x);
  } finally {
    for (const layer of layers) layer.initializing = false;
  }
}
