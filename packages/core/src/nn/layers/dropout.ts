// Dropout layers: active in training only.
import type { Tensor } from '../../tensor/tensor.ts';
import { alphaDropout, channelDropout, dropout, requireShare } from '../functional/dropout.ts';
import { Module } from '../module.ts';

/** What the dropout layers share: the share that is dropped, and the stream that decides. */
abstract class RandomDrop extends Module {
  readonly p: number;
  readonly stream: string;

  constructor(p = 0.5, options: { readonly stream?: string } = {}) {
    super();
    requireShare(p, this.constructor.name);
    this.p = p;
    this.stream = options.stream ?? 'dropout';
  }
}

/** Zeros single elements with probability p; the rest grows by 1 / (1 − p). */
export class Dropout extends RandomDrop {
  override forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training, stream: this.stream });
  }
}

/** Zeros whole channels of [N, C, …] with probability p: PyTorch's Dropout1d, 2d and 3d. */
export class ChannelDropout extends RandomDrop {
  override forward(x: Tensor): Tensor {
    return channelDropout(x, { p: this.p, training: this.training, stream: this.stream });
  }
}

/** Dropout for SELU networks: keeps mean 0 and variance 1. */
export class AlphaDropout extends RandomDrop {
  override forward(x: Tensor): Tensor {
    return alphaDropout(x, { p: this.p, training: this.training, stream: this.stream });
  }
}
