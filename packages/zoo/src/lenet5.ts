// LeNet-5 (LeCun, Bottou, Bengio & Haffner 1998) in its modern form: every map of the second convolution sees all of the
// first, pooling has no parameters, the output is linear. 61,706 parameters for one channel and ten classes.
import { UserError, type Tensor } from '@athanor/core';
import { AvgPool2d, Linear, MaxPool2d, Module, type TensorModule } from '@athanor/core/nn';
import type { NormFactory } from '@athanor/core/plugin';
import { ConvUnit, LinearUnit, type Style } from './blocks.ts';
import { imageShape, noNorm } from './style.ts';

export interface LeNet5Options extends Style {
  /** Normalization of the dense hidden layers; `norm` unless given. */
  readonly denseNorm?: NormFactory;
  /** avg unless given. */
  readonly pool?: 'avg' | 'max';
}

/** [N, C, H, W] → [N, classes]. Inputs smaller than 32×32, such as 28×28, are padded by 2; the activation is tanh unless given. */
export class LeNet5 extends Module {
  readonly conv1: ConvUnit;
  readonly conv2: ConvUnit;
  readonly pool: TensorModule;
  readonly dense1: LinearUnit;
  readonly dense2: LinearUnit;
  readonly head: Linear;

  constructor(input: readonly number[], classes: number, options: LeNet5Options = {}) {
    super();
    const { norm = noNorm, denseNorm = norm, activation = 'tanh', pool = 'avg', weight } = options;
    const [channels, height, width] = imageShape(input, 'LeNet-5');
    const padding = Math.min(height, width) < 32 ? 2 : 0;
    const pooledTwice = (size: number): number => Math.floor((Math.floor((size + 2 * padding - 4) / 2) - 4) / 2);
    const cells = pooledTwice(height) * pooledTwice(width);
    if (!(cells >= 1)) throw new UserError(`LeNet-5: images of ${height}×${width} are too small`, { remedy: 'give at least 12×12' });
    this.conv1 = new ConvUnit(channels, 6, 5, { padding, norm, activation, weight });
    this.conv2 = new ConvUnit(6, 16, 5, { norm, activation, weight });
    this.pool = pool === 'avg' ? new AvgPool2d(2) : new MaxPool2d(2);
    this.dense1 = new LinearUnit(16 * cells, 120, { norm: denseNorm, activation, weight });
    this.dense2 = new LinearUnit(120, 84, { norm: denseNorm, activation, weight });
    this.head = new Linear(84, classes);
  }

  override forward(x: Tensor): Tensor {
    const maps = this.pool.forward(this.conv2.forward(this.pool.forward(this.conv1.forward(x))));
    return this.head.forward(this.dense2.forward(this.dense1.forward(maps.flatten(1))));
  }
}
