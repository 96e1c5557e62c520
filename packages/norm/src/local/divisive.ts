// Divisive normalization with its two additions (Ren et al. 2017, arXiv 1611.04520): y = v / √(σ² + local mean of v²),
// v = x − local mean of x, where "local" is a window; σ smooths, and an L1 term on v makes activations sparse.
import { UserError, type Tensor } from '@athanor/core';
import type { Parameter } from '@athanor/core/nn';
import { layoutOf } from '../framework/layout.ts';
import { Norm, constantParameter, type NormOptions } from '../framework/norm.ts';
import { scaleAndShift } from '../framework/normalize.ts';
import { windowSum } from './local-response.ts';

export interface DivisiveOptions extends Omit<NormOptions, 'eps'> {
  /** Cells on a side of the window around each position, with all channels; for [N, C], neighbouring units. 5 unless given. */
  readonly window?: number;
  /** σ; 1 unless given. */
  readonly sigma?: number;
  /** Learn σ. */
  readonly learnSigma?: boolean;
}

/** [N, C, H, W], [N, T, C] (a window over steps), [N, C]. Windows at the border count zeros outside, as the authors' do. */
export class DivisiveNorm extends Norm {
  readonly window: number;
  readonly sigma: number | Parameter;

  constructor(features: number, options: DivisiveOptions = {}) {
    const { window = 5, sigma = 1, learnSigma = false, affine = false, dtype = 'float32' } = options;
    super(features, { ...options, affine, eps: 0 });
    if (!Number.isInteger(window) || window < 1 || window % 2 === 0) throw new UserError(`DivisiveNorm: a window of ${window}`, { remedy: 'give an odd number' });
    this.window = window;
    this.sigma = learnSigma ? constantParameter(sigma, [], dtype) : sigma;
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const { sigma } = this;
    const centred = this.centred(x);
    const energy = this.#local(centred.square());
    const floor = typeof sigma === 'number' ? sigma ** 2 : sigma.value.square();
    return scaleAndShift(centred.div(energy.add(floor).sqrt()), this.affine(x));
  }

  /** v: the input without its local mean. mean |v|, times a weight, is the paper's sparsity term for the loss. */
  centred(x: Tensor): Tensor {
    return x.sub(this.#local(x));
  }

  /** Means over all channels and a window of positions, or over a window of units where there are no positions. */
  #local(x: Tensor): Tensor {
    const { channel, positions } = layoutOf(x);
    const pooled = positions.length === 0 ? x : x.mean(channel, { keepdim: true });
    const axes = positions.length === 0 ? [channel] : positions;
    return windowSum(pooled, axes, this.window).mul(1 / this.window ** axes.length);
  }
}
