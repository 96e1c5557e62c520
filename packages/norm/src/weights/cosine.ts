// Cosine normalization (Luo et al. 2017, arXiv 1702.05870): the cosine of the angle between weight and input instead of
// their product; centred, it is Pearson's correlation. Statistics are those of one sample and one unit.
import { onesLike, type Tensor } from '@athanor/core';
import { Parameter, functional } from '@athanor/core/nn';
import { filled } from '../framework/norm.ts';
import { ReparametrizedLayer, fanInAxes, isConvolution, overOutput, perOutput, type Convolution, type WeightedLayer } from './layer.ts';

export interface CosineOptions {
  /** Subtract the means of weight and input first. */
  readonly centered?: boolean;
  /**
   * What the cosine is multiplied with. `none`: nothing, as in the paper; `sqrtFanIn`: √fanIn, which keeps variances
   * through deep networks (default); `learned`: a scale per output, which starts there.
   */
  readonly gain?: 'none' | 'sqrtFanIn' | 'learned';
  /** Lengths below this count as 0, and the cosine is 0; 1e-6 unless given. */
  readonly eps?: number;
}

const kept = { keepdim: true };

/** Zeros around an image for a convolution without padding: [low, high] of the last axis first. */
function explicitPadding(layer: Convolution): number[] {
  const kernel = layer.weight.shape.slice(2);
  const { padding, dilation } = layer;
  return kernel.toReversed().flatMap((size, i) => {
    const axis = kernel.length - 1 - i;
    const extent = (size - 1) * (typeof dilation === 'number' ? dilation : (dilation[axis] ?? 1));
    if (padding === 'valid') return [0, 0];
    if (padding === 'same') return [Math.floor(extent / 2), Math.ceil(extent / 2)];
    const border = typeof padding === 'number' ? padding : (padding[axis] ?? 0);
    return [border, border];
  });
}

export class CosineNorm extends ReparametrizedLayer {
  readonly centered: boolean;
  readonly eps: number;
  readonly fanIn: number;
  /** [out] */
  readonly gain: Parameter | undefined;
  readonly fixedGain: number;

  constructor(layer: WeightedLayer, options: CosineOptions = {}) {
    super(layer);
    const { centered = false, gain = 'sqrtFanIn', eps = 1e-6 } = options;
    const { dtype, shape, elements } = layer.weight;
    const [outputs = 0] = shape;
    this.centered = centered;
    this.eps = eps;
    this.fanIn = elements / outputs;
    this.gain = gain === 'learned' ? new Parameter({ shape: [outputs], dtype, initial: filled(Math.sqrt(this.fanIn), outputs, dtype) }) : undefined;
    this.fixedGain = gain === 'sqrtFanIn' ? Math.sqrt(this.fanIn) : 1;
  }

  /** Unit vectors, one per output. */
  override weight(): Tensor {
    const w = this.layer.weight.value;
    const axes = fanInAxes(w);
    const centred = this.centered ? w.sub(w.mean(axes, kept)) : w;
    const unit = centred.div(centred.square().sum(axes, kept).sqrt().maximum(this.eps));
    return this.gain === undefined ? unit.mul(this.fixedGain) : unit.mul(perOutput(this.gain.value, unit));
  }

  override forward(x: Tensor): Tensor {
    const { product, energy } = isConvolution(this.layer) ? this.#patches(x, this.layer) : this.#dense(x);
    const small = energy.le(this.eps ** 2);
    const cosine = product.div(energy.maximum(this.eps ** 2).sqrt()).maskedFill(small, 0);
    const { bias } = this.layer;
    return bias === undefined ? cosine : cosine.add(overOutput(bias.value, this.layer, cosine));
  }

  /** w · x for unit weights, and the squared length of each input, broadcastable over it. */
  #dense(x: Tensor): { product: Tensor; energy: Tensor } {
    const input = this.centered ? x.sub(x.mean(-1, kept)) : x;
    return { product: functional.linear(input, this.weight()), energy: input.square().sum(-1, kept) };
  }

  /**
   * The same for each patch. Patches are centred by what is left of their sum, after each sample's mean (which no
   * correlation sees) has been taken out, border included, to keep the difference of squares exact.
   */
  #patches(x: Tensor, layer: Convolution): { product: Tensor; energy: Tensor } {
    const { stride, dilation, groups } = layer;
    const padded = x.pad(explicitPadding(layer));
    const samples = padded.shape.map((_, axis) => axis).slice(1);
    const input = this.centered ? padded.sub(padded.mean(samples, kept).detach()) : padded;
    const options = { stride, dilation, groups };
    const weight = this.weight();
    const group = onesLike(weight.narrow(0, 0, groups));
    const sums = (values: Tensor): Tensor => this.#perOutput(functional.convolution(values, group, options), groups);
    const energy = sums(input.square());
    const product = functional.convolution(input, weight, options);
    return { product, energy: this.centered ? energy.sub(sums(input).square().mul(1 / this.fanIn)) : energy };
  }

  /** [N, groups, …S] repeated to [N, out, …S]; one group broadcasts by itself. */
  #perOutput(values: Tensor, groups: number): Tensor {
    return groups === 1 ? values : values.repeatInterleave((this.layer.weight.shape[0] ?? groups) / groups, 1);
  }
}
