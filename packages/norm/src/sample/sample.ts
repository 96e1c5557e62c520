// The methods that take their statistics from each sample itself: layer, group, instance, RMS and positional
// normalization. They differ in what shares a statistic, and in whether it is centred; all compute the same in training
// and evaluation, keep no state, and treat each sample as if it were alone.
import { ShapeError, UserError, formatShape, type Tensor } from '@athanor/core';
import { layoutOf, spanAxes, splitChannels, splitLayout, type Span } from '../framework/layout.ts';
import { Norm, type NormOptions, type PlacementOption } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { countOf, statisticsOf } from '../framework/statistics.ts';

/** The choices that tell these methods apart. */
interface Choices {
  /** What shares one statistic in an input. */
  readonly span: (x: Tensor) => Span;
  /** Subtract the mean. */
  readonly center: boolean;
  /** Groups of channels with statistics of their own. */
  readonly groups: number;
}

abstract class SampleNorm extends Norm {
  readonly #choices: Choices;

  constructor(features: number, options: NormOptions & PlacementOption & { readonly eps: number }, choices: Choices) {
    super(features, options);
    this.#choices = choices;
  }

  /** `mask` (bool, broadcastable over x, with size 1 along the channels, such as [N, T, 1]) tells what is no padding. */
  override forward(x: Tensor, mask?: Tensor): Tensor {
    this.requireChannels(x);
    const { span, center, groups } = this.#choices;
    const layout = layoutOf(x);
    const axes = spanAxes(span(x), groups === 1 ? layout : splitLayout(layout));
    const split = (values: Tensor): Tensor => (groups === 1 ? values : splitChannels(values, groups));
    const parts = split(x);
    if (axes.length === 0 || (center && countOf(parts, axes) < 2)) {
      throw new ShapeError(`${this.constructor.name}: ${formatShape(x.shape)} has one value per statistic, which would become 0`, {
        remedy: 'normalise over more channels or positions',
      });
    }
    const { weight, bias } = this.affine(x);
    const affine = { weight: weight && split(weight), bias: bias && split(bias) };
    // A position that is its own statistic needs no mask.
    const among = span(x) === 'position' ? undefined : mask;
    const valid = groups === 1 ? among : among?.unsqueeze(layout.channel - x.ndim);
    return normalize(parts, statisticsOf(parts, { axes, center, eps: this.eps, placement: this.placement, mask: valid }), affine).reshape(x.shape);
  }
}

/** `sample`: over channels and positions; `position`: over the channels at each position. */
export type Extent = 'sample' | 'position';

export interface ExtentOptions extends NormOptions, PlacementOption {
  readonly over?: Extent;
  /** γ at the start; 1 unless given. */
  readonly gain?: number;
}

/**
 * Layer normalization (Ba, Kiros & Hinton 2016, arXiv 1607.06450) with γ and β per channel. Statistics over the whole
 * sample for images [N, C, H, W] (what a group normalization of one group computes), over the channels at each step for
 * sequences [N, T, C] (as in transformers); `over: 'position'` takes them at each pixel of an image (as in ConvNeXt).
 */
export class ChannelLayerNorm extends SampleNorm {
  constructor(features: number, options: ExtentOptions = {}) {
    const { over, eps = 1e-5 } = options;
    super(features, { ...options, eps }, { span: (x) => over ?? (x.ndim === 3 ? 'position' : 'sample'), center: true, groups: 1 });
  }
}

/**
 * Group normalization (Wu & He 2018, arXiv 1803.08494): statistics over groups of neighbouring channels, with all
 * positions; for sequences `over: 'position'` takes them at each step. One group is layer normalization, a group per
 * channel instance normalization.
 */
export class GroupNorm extends SampleNorm {
  readonly groups: number;

  constructor(groups: number, features: number, options: ExtentOptions = {}) {
    const { over = 'sample', eps = 1e-5 } = options;
    if (!Number.isInteger(groups) || groups < 1 || features % groups !== 0) {
      throw new UserError(`GroupNorm: ${features} channels do not split into ${groups} groups`, { remedy: `choose a divisor of ${features}` });
    }
    super(features, { ...options, eps }, { span: () => over, center: true, groups });
    this.groups = groups;
  }
}

/**
 * Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016, arXiv 1607.08022): statistics of each channel of each
 * sample over its positions. Without γ and β unless asked for, as in PyTorch.
 */
export class InstanceNorm extends SampleNorm {
  constructor(features: number, options: NormOptions & PlacementOption = {}) {
    const { eps = 1e-5, affine = false } = options;
    super(features, { ...options, affine, eps }, { span: () => 'channel', center: true, groups: 1 });
  }
}

/**
 * Root-mean-square normalization (Zhang & Sennrich 2019, arXiv 1910.07467): γ x / √(mean x² + ε) over the channels at
 * each position; neither centred nor shifted. ε is the machine epsilon of the dtype, as in PyTorch.
 */
export class ChannelRMSNorm extends SampleNorm {
  constructor(features: number, options: Omit<ExtentOptions, 'bias'> = {}) {
    const { over = 'position', eps = machineEpsilon(options.dtype) } = options;
    super(features, { ...options, eps, bias: false }, { span: () => over, center: false, groups: 1 });
  }
}

/** The distance from 1 to the next number. */
export function machineEpsilon(dtype: NormOptions['dtype'] = 'float32'): number {
  return dtype === 'float64' ? Number.EPSILON : 2 ** -23;
}
