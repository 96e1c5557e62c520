// Local response normalization (Krizhevsky, Sutskever & Hinton 2012): each value is divided by a power of the energy of
// its neighbours, y = x (k + A Σ x²)^(−β).
import { UserError, withGradient, type Tensor } from '@athanor/core';
import { Module } from '@athanor/core/nn';
import { layoutOf } from '../framework/layout.ts';

export interface LocalResponseOptions {
  /** Channels, or cells on a side, in the window; 5 unless given. */
  readonly size?: number;
  /** 1e-4 unless given. */
  readonly alpha?: number;
  /** 0.75 unless given. */
  readonly beta?: number;
  /** 1 unless given; 2 in the paper. */
  readonly k?: number;
  /** `window`: A = α / (elements of the window), PyTorch and Caffe (default). `element`: A = α, the paper and TensorFlow. */
  readonly alphaPer?: 'window' | 'element';
  /** Windows of neighbouring channels (default), or of neighbouring positions within a channel. */
  readonly window?: 'channels' | 'positions';
}

/** TensorFlow's and TensorFlow.js's names and defaults: a window of 2 · depthRadius + 1 channels, α for each element. */
export function tensorflowLocalResponse(options: { depthRadius?: number; bias?: number; alpha?: number; beta?: number } = {}): LocalResponseOptions {
  const { depthRadius = 5, bias = 1, alpha = 1, beta = 0.5 } = options;
  return { size: 2 * depthRadius + 1, k: bias, alpha, beta, alphaPer: 'element' };
}

/** Sums over windows along axes, with zeros outside; even sizes reach one further to the low side, or (mirrored) to the high side. */
export function windowSum(x: Tensor, axes: readonly number[], size: number, options: { readonly mirrored?: boolean } = {}): Tensor {
  const [long, short] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
  const [low, high] = options.mirrored === true ? [short, long] : [long, short];
  return axes.reduce((sum, axis) => {
    const padding = new Array<number>(2 * (x.ndim - axis)).fill(0).with(-2, low).with(-1, high);
    return sum.pad(padding).unfold(axis, size, 1).sum(-1);
  }, x);
}

/** No parameters, no state. [N, C], [N, T, C], [N, C, H, W]. */
export class LocalResponseNorm extends Module {
  readonly options: Required<LocalResponseOptions>;

  constructor(options: LocalResponseOptions = {}) {
    super();
    const { size = 5, alpha = 1e-4, beta = 0.75, k = 1, alphaPer = 'window', window = 'channels' } = options;
    if (!Number.isInteger(size) || size < 1) throw new UserError(`LocalResponseNorm: a window of ${size}`, { remedy: 'give a whole number from 1' });
    this.options = { size, alpha, beta, k, alphaPer, window };
  }

  /** dx = dy D^(−β) − 2 A β x Σ (dy y / D), summed over the windows that hold x, with D = k + A Σ x². */
  override forward(x: Tensor): Tensor {
    const { size, alpha, beta, k, alphaPer, window } = this.options;
    const { channel, positions } = layoutOf(x);
    const axes = window === 'channels' ? [channel] : positions;
    if (axes.length === 0) throw new UserError('LocalResponseNorm: [N, C] has no positions', { remedy: "use window: 'channels'" });
    const a = alphaPer === 'window' ? alpha / size ** axes.length : alpha;
    const energy = windowSum(x.square(), axes, size).mul(a).add(k);
    const scale = energy.pow(-beta);
    const y = x.mul(scale);
    return withGradient(y, [x], (dy) => {
      const shared = windowSum(dy.mul(y).div(energy), axes, size, { mirrored: true });
      return [dy.mul(scale).sub(x.mul(shared).mul(2 * a * beta))];
    });
  }
}
