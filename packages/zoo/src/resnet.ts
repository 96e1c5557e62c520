// Residual networks for small images (He, Zhang, Ren & Sun 2015, arXiv 1512.03385, section 4.2): 6n + 2 layers, three
// stages of n basic blocks with widths w, 2w, 4w. ResNet-20 has n = 3, w = 16.
import { UserError, type Tensor } from '@athanor/core';
import { Linear, Module, Sequential, init, type TensorModule } from '@athanor/core/nn';
import type { NormFactory } from '@athanor/core/plugin';
import { ConvUnit, type Style } from './blocks.ts';
import { activations, imageShape, noNorm, type Activation } from './style.ts';

/**
 * What a block adds its result to where the shape changes. A: every other pixel, with zero channels around (half of them
 * before, half after); no parameters. B: a 1×1 convolution and a normalization. C: B in every block.
 */
export type Shortcut = 'A' | 'B' | 'C';

export interface ResNetOptions extends Style {
  /** Layers with weights: 6n + 2; 20 unless given. */
  readonly depth?: number;
  /** Channels of the first stage; 16 unless given. */
  readonly width?: number;
  /** B unless given. */
  readonly shortcut?: Shortcut;
  /** Stride of the first convolution; 1 unless given. */
  readonly stemStride?: number;
}

interface BlockOptions {
  readonly norm: NormFactory;
  readonly activation: Activation;
  readonly shortcut: Shortcut;
  readonly stride: number;
  readonly weight?: Style['weight'];
}

/** Weights of convolutions: N(0, 2 / fanOut). */
const weightInit = init.kaimingNormal({ mode: 'fanOut', nonlinearity: 'relu' });

/** x[:, :, ::s, ::s] with zero channels: shortcut A. */
class PadChannels extends Module {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.inputs = inputs;
    this.outputs = outputs;
    this.stride = stride;
  }

  override forward(x: Tensor): Tensor {
    const before = Math.floor((this.outputs - this.inputs) / 2);
    const sampled = x.slice(2, 0, Infinity, this.stride).slice(3, 0, Infinity, this.stride);
    return sampled.pad([0, 0, 0, 0, before, this.outputs - this.inputs - before]);
  }
}

/** activation(x + norm(conv(activation(norm(conv(x)))))), 3×3 convolutions. */
export class BasicBlock extends Module {
  readonly conv1: ConvUnit;
  readonly conv2: ConvUnit;
  readonly shortcut: TensorModule | undefined;
  readonly activation: TensorModule;

  constructor(inputs: number, outputs: number, { norm, activation, shortcut, stride, weight }: BlockOptions) {
    super();
    this.conv1 = new ConvUnit(inputs, outputs, 3, { padding: 1, stride, norm, activation, weight, weightInit });
    this.conv2 = new ConvUnit(outputs, outputs, 3, { padding: 1, norm, weight, weightInit });
    const changes = inputs !== outputs || stride !== 1;
    if (shortcut === 'A') this.shortcut = changes ? new PadChannels(inputs, outputs, stride) : undefined;
    else this.shortcut = changes || shortcut === 'C' ? new ConvUnit(inputs, outputs, 1, { stride, norm, weight, weightInit }) : undefined;
    this.activation = activations[activation](outputs);
  }

  override forward(x: Tensor): Tensor {
    const residual = this.conv2.forward(this.conv1.forward(x));
    return this.activation.forward(residual.add(this.shortcut?.forward(x) ?? x));
  }
}

/** [N, C, H, W] → [N, classes]. */
export class ResNet extends Module {
  readonly stem: ConvUnit;
  /** Three stages of blocks. */
  readonly stages: Sequential;
  readonly head: Linear;

  constructor(input: readonly number[], classes: number, options: ResNetOptions = {}) {
    super();
    const { depth = 20, width = 16, shortcut = 'B', stemStride = 1, norm = noNorm, activation = 'relu', weight } = options;
    const blocks = (depth - 2) / 6;
    if (!Number.isInteger(blocks) || blocks < 1) throw new UserError(`ResNet: a depth of ${depth}`, { remedy: 'give 6n + 2: 8, 14, 20, 32, …' });
    const [channels] = imageShape(input, 'ResNet');
    this.stem = new ConvUnit(channels, width, 3, { padding: 1, stride: stemStride, norm, activation, weight, weightInit });
    this.stages = new Sequential(
      ...[width, 2 * width, 4 * width].map((outputs, stage) => {
        const first = stage === 0 ? width : outputs / 2;
        return new Sequential(
          ...Array.from({ length: blocks }, (_, i) => {
            const stride = stage > 0 && i === 0 ? 2 : 1;
            return new BasicBlock(i === 0 ? first : outputs, outputs, { norm, activation, shortcut, stride, weight });
          }),
        );
      }),
    );
    this.head = new Linear(4 * width, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.stages.forward(this.stem.forward(x)).mean([2, 3]));
  }
}
