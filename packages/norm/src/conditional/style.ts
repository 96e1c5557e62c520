// Normalizations whose scale and shift come from outside: from a style, from another image, from a condition vector.
import { ShapeError, UserError, formatShape, type Tensor } from '@athanor/core';
import { Embedding, Linear, Module, functional, init } from '@athanor/core/nn';
import { layoutOf, spanAxes } from '../framework/layout.ts';
import { requireFeatures, type NormOptions } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { statisticsOf } from '../framework/statistics.ts';
import { ChannelLayerNorm, GroupNorm } from '../sample/sample.ts';

/** What a layer is told from outside; a UserError if a model that knows nothing of conditions calls it. */
function requireCondition(condition: Tensor | undefined, layer: Module, what: string): Tensor {
  if (condition !== undefined) return condition;
  throw new UserError(`${layer.constructor.name}: no ${what}`, { remedy: `call forward(x, ${what}); models that give none need another normalization` });
}

/** Values per sample and channel, [N, C], in a shape that broadcasts over x. */
export function perSampleChannel(values: Tensor, x: Tensor): Tensor {
  const { sample, channel } = layoutOf(x);
  const shape = x.shape.map((size, axis) => (axis === sample || axis === channel ? size : 1));
  if (values.ndim === 2 && values.size === (x.shape[sample] ?? 0) * (x.shape[channel] ?? 0)) return values.reshape(shape);
  throw new ShapeError(`values per sample and channel of shape ${formatShape(values.shape)} for an input ${formatShape(x.shape)}`, { remedy: 'give [N, C]' });
}

/**
 * Conditional instance normalization (Dumoulin et al. 2017, arXiv 1610.07629): γ and β belong to a style. `styles` are
 * indices [N], or weights [N, styles] that mix them.
 */
export class ConditionalInstanceNorm extends Module {
  readonly eps: number;
  /** γ [styles, C], 1 at the start. */
  readonly scale: Embedding;
  /** β [styles, C], 0 at the start. */
  readonly shift: Embedding;

  constructor(features: number, styles: number, options: { readonly eps?: number } = {}) {
    super();
    requireFeatures(features);
    this.eps = options.eps ?? 1e-5;
    this.scale = new Embedding(styles, features, { weightInit: init.ones() });
    this.shift = new Embedding(styles, features, { weightInit: init.zeros() });
  }

  override forward(x: Tensor, given?: Tensor): Tensor {
    const styles = requireCondition(given, this, 'styles');
    const pick = (table: Embedding): Tensor => (styles.ndim === 2 ? styles.matmul(table.weight.value) : table.forward(styles));
    const statistics = statisticsOf(x, { axes: spanAxes('channel', layoutOf(x)), eps: this.eps });
    return normalize(x, statistics, { weight: perSampleChannel(pick(this.scale), x), bias: perSampleChannel(pick(this.shift), x) });
  }
}

/**
 * Adaptive instance normalization (Huang & Belongie 2017, arXiv 1703.06868): the content with each channel's mean and
 * standard deviation (unbiased) taken from the style. Both [N, C, …], positions may differ. No parameters.
 */
export class AdaptiveInstanceNorm extends Module {
  readonly eps: number;

  constructor(options: { readonly eps?: number } = {}) {
    super();
    this.eps = options.eps ?? 1e-5;
  }

  override forward(content: Tensor, given?: Tensor): Tensor {
    const style = requireCondition(given, this, 'style');
    const { eps } = this;
    const own = statisticsOf(content, { axes: spanAxes('channel', layoutOf(content)), eps, correction: 1 });
    const wanted = statisticsOf(style, { axes: spanAxes('channel', layoutOf(style)), eps, correction: 1 });
    return normalize(content, own, { weight: wanted.inverse.reciprocal(), bias: wanted.mean });
  }
}

/** y · (1 + scale) + shift with a scale and a shift per sample and channel (Perez et al. 2018, arXiv 1709.07871). */
export function modulate(y: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return y.mul(perSampleChannel(scale, y).add(1)).add(perSampleChannel(shift, y));
}

/**
 * Group normalization that a condition [N, D] scales and shifts, as in guided diffusion (Dhariwal & Nichol 2021, arXiv
 * 2105.05233): GN(x) · (1 + scale) + shift with (scale, shift) = W silu(condition).
 */
export class FilmGroupNorm extends Module {
  readonly norm: GroupNorm;
  readonly condition: Linear;

  constructor(features: number, condition: number, options: NormOptions & { readonly groups?: number } = {}) {
    super();
    const { groups = 32, ...own } = options;
    this.norm = new GroupNorm(groups, features, own);
    this.condition = new Linear(condition, 2 * features);
  }

  override forward(x: Tensor, condition?: Tensor): Tensor {
    const [scale = x, shift = x] = this.condition.forward(functional.silu(requireCondition(condition, this, 'condition'))).chunk(2, 1);
    return modulate(this.norm.forward(x), scale, shift);
  }
}

/**
 * Adaptive layer normalization (Peebles & Xie 2022, arXiv 2212.09748): LN(x) · (1 + scale) + shift with (shift, scale) =
 * W silu(condition), W = 0 at the start, so that it begins as layer normalization. Condition [N, D].
 */
export class AdaptiveLayerNorm extends Module {
  readonly norm: ChannelLayerNorm;
  readonly condition: Linear;

  constructor(features: number, condition: number, options: { readonly eps?: number } = {}) {
    super();
    this.norm = new ChannelLayerNorm(features, { eps: options.eps ?? 1e-6, affine: false });
    this.condition = new Linear(condition, 2 * features, { weightInit: init.zeros(), biasInit: init.zeros() });
  }

  override forward(x: Tensor, condition?: Tensor): Tensor {
    const [shift = x, scale = x] = this.condition.forward(functional.silu(requireCondition(condition, this, 'condition'))).chunk(2, 1);
    return modulate(this.norm.forward(x), scale, shift);
  }
}

/**
 * Adaptive layer normalization with gates that start at zero (adaLN-Zero; Peebles & Xie 2022, arXiv 2212.09748), around
 * any branch: x + gate · branch(LN(x) · (1 + scale) + shift) with (shift, scale, gate) = W silu(condition), W = 0 at the
 * start, so that a block begins as the identity.
 */
export class AdaptiveLayerNormZero extends Module {
  readonly norm: ChannelLayerNorm;
  readonly condition: Linear;

  constructor(features: number, condition: number, options: { readonly eps?: number } = {}) {
    super();
    this.norm = new ChannelLayerNorm(features, { eps: options.eps ?? 1e-6, affine: false });
    this.condition = new Linear(condition, 3 * features, { weightInit: init.zeros(), biasInit: init.zeros() });
  }

  override forward(x: Tensor, condition: Tensor, branch: (y: Tensor) => Tensor): Tensor {
    const [shift = x, scale = x, gate = x] = this.condition.forward(functional.silu(condition)).chunk(3, 1);
    const y = branch(modulate(this.norm.forward(x), scale, shift));
    return x.add(y.mul(perSampleChannel(gate, y)));
  }
}
