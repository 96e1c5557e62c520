// Attention (Vaswani et al. 2017), with PyTorch's conventions for masks: they differ between its two functions.
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { attend, attendInHeads, hiddenByOrder, type Attended, type HeadOptions, type HeadWeights } from './heads.ts';
import { linear } from './linear.ts';

export interface AttentionOptions {
  /** Broadcasts to [..., L, S]: true where a query sees a key, or numbers that are added to the scores. */
  readonly attnMask?: Tensor | undefined;
  /** The share of weights that is dropped: 0 unless given. */
  readonly dropoutP?: number;
  /** Query i sees keys 0 … i only. */
  readonly isCausal?: boolean;
  /** Factor on the scores: 1 / √E unless given. */
  readonly scale?: number | undefined;
}

/** softmax(q kᵀ / √E + mask) v for query [..., L, E], key [..., S, E], value [..., S, V]: [..., L, V]. A query that sees nothing gives NaN. */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
  const { attnMask, dropoutP, isCausal = false, scale } = options;
  const fits = query.ndim > 1 && key.ndim > 1 && value.ndim > 1 && query.shape.at(-1) === key.shape.at(-1) && key.shape.at(-2) === value.shape.at(-2);
  if (!fits) {
    throw new ShapeError(`${describe('scaledDotProductAttention')}: query ${formatShape(query.shape)}, key ${formatShape(key.shape)} and value ${formatShape(value.shape)} do not fit`, {
      remedy: 'they are [..., L, E], [..., S, E] and [..., S, V]',
    });
  }
  const hidden = attnMask?.dtype === 'bool' ? attnMask.not() : attnMask;
  const order = isCausal ? hiddenByOrder(query.shape.at(-2) ?? 0, key.shape.at(-2) ?? 0) : undefined;
  return attend(query, key, value, { scale, dropoutP, masks: [hidden, order].flatMap((mask) => mask ?? []) }).output;
}

export interface MultiHeadWeights extends HeadWeights {
  /** [E, E] */
  readonly outProjWeight: Tensor;
  readonly outProjBias?: Tensor | undefined;
}

export interface MultiHeadOptions extends HeadOptions {
  /** Weights as means over the heads: true unless given. */
  readonly averageAttnWeights?: boolean;
}

/**
 * Multi-head attention: query [L, N, E], key [S, N, K], value [S, N, V] → output [L, N, E], weights [N, L, S] (of each
 * head: [N, heads, L, S]). Here a bool mask is true where a key is hidden.
 */
export function multiHeadAttention(query: Tensor, key: Tensor, value: Tensor, weights: MultiHeadWeights, options: MultiHeadOptions): Attended {
  const first = query.transpose(0, 1);
  const second = key === query ? first : key.transpose(0, 1);
  const third = value === key ? second : value.transpose(0, 1);
  const { output, weights: shares } = attendInHeads([first, second, third], weights, options);
  return {
    output: linear(output.transpose(0, 1), weights.outProjWeight, weights.outProjBias),
    weights: (options.averageAttnWeights ?? true) ? shares.mean(1) : shares,
  };
}
