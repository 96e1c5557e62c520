// The unit that most architectures repeat: a linear map, a normalization, an activation.
import type { Tensor } from '@athanor/core';
import { Conv2d, Linear, Module, type Initializer, type TensorModule } from '@athanor/core/nn';
import type { NormFactory } from '@athanor/core/plugin';
import type { Reparametrization } from '@athanor/norm';
import { activations, learnsShift, noNorm, type Activation } from './style.ts';

/** What a network's style says about each unit. */
export interface Style {
  /** Between map and activation; none unless given. */
  readonly norm?: NormFactory;
  readonly activation?: Activation;
  /** Makes the map compute with a function of its weight; as it is unless given. */
  readonly weight?: Reparametrization | undefined;
}

export interface ConvUnitOptions extends Style {
  readonly stride?: number;
  readonly padding?: number;
  readonly weightInit?: Initializer;
}

/** Convolution → norm → activation. The convolution has a bias unless the normalization learns a shift. */
export class ConvUnit extends Module {
  readonly conv: TensorModule;
  readonly norm: TensorModule;
  readonly activation: TensorModule;

  constructor(inputs: number, outputs: number, kernel: number, options: ConvUnitOptions = {}) {
    super();
    const { norm = noNorm, activation = 'none', weight = (layer) => layer, ...convolution } = options;
    this.norm = norm(outputs);
    this.conv = weight(new Conv2d(inputs, outputs, kernel, { ...convolution, bias: !learnsShift(this.norm) }));
    this.activation = activations[activation](outputs);
  }

  override forward(x: Tensor): Tensor {
    return this.activation.forward(this.norm.forward(this.conv.forward(x)));
  }
}

/** Linear → norm → activation. */
export class LinearUnit extends Module {
  readonly linear: TensorModule;
  readonly norm: TensorModule;
  readonly activation: TensorModule;

  constructor(inputs: number, outputs: number, options: Style = {}) {
    super();
    const { norm = noNorm, activation = 'none', weight = (layer) => layer } = options;
    this.norm = norm(outputs);
    this.linear = weight(new Linear(inputs, outputs, { bias: !learnsShift(this.norm) }));
    this.activation = activations[activation](outputs);
  }

  override forward(x: Tensor): Tensor {
    return this.activation.forward(this.norm.forward(this.linear.forward(x)));
  }
}
