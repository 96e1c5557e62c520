// A normalization of [N, C, L], the layout of one-dimensional convolutions (and of PyTorch's sequences).
import { ShapeError, formatShape, type Tensor } from '@athanor/core';
import { Module, type TensorModule } from '@athanor/core/nn';

/** Applies a normalization of [N, T, C] to [N, C, L]: the last two axes change places before and after. */
export class ChannelsFirst extends Module {
  readonly norm: TensorModule;

  constructor(norm: TensorModule) {
    super();
    this.norm = norm;
  }

  override forward(x: Tensor): Tensor {
    if (x.ndim !== 3) throw new ShapeError(`ChannelsFirst: ${formatShape(x.shape)} is not [N, C, L]`, { remedy: 'other layouts need no wrapper' });
    return this.norm.forward(x.transpose(1, 2)).transpose(1, 2);
  }
}
