// Attention inside several heads: scores, masks, weights (Vaswani et al. 2017).
import { DtypeError, ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { arange, cat, zeros } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { dropout } from './dropout.ts';
import { linear } from './linear.ts';

/** What attention gives: a mixture of values per query, and the shares that made it. */
export interface Attended {
  readonly output: Tensor;
  readonly weights: Tensor;
}

export interface ScoreOptions {
  /** Factor on the scores: 1 / √E unless given. */
  readonly scale?: number | undefined;
  /** Added to the scores, or −∞ where a bool is true. */
  readonly masks: readonly Tensor[];
  /** The share of weights that is dropped: 0 unless given. */
  readonly dropoutP?: number | undefined;
}

/** Query i sees keys 0 … i: true where it does not. [L, S] */
export function hiddenByOrder(queries: number, keys: number): Tensor {
  return arange(queries).unsqueeze(1).lt(arange(keys));
}

function masked(scores: Tensor, mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? scores.maskedFill(mask, -Infinity) : scores.add(mask.to(scores.dtype));
}

/** softmax(scale · q kᵀ + masks) v for q [..., L, E], k [..., S, E], v [..., S, V]: [..., L, V]. */
export function attend(query: Tensor, key: Tensor, value: Tensor, { scale, masks, dropoutP = 0 }: ScoreOptions): Attended {
  const scores = query.mul(scale ?? 1 / Math.sqrt(query.shape.at(-1) ?? 1)).matmul(key.T);
  const weights = dropout(masks.reduce(masked, scores).softmax(-1), { p: dropoutP });
  return { output: weights.matmul(value), weights };
}

/** Projections of query, key and value. All tensors are [N, ·, E]; weights are [out, in]. */
export interface HeadWeights {
  /** Query, key and value one below the other [3E, E]; or each of its own. */
  readonly inProjWeight?: Tensor | undefined;
  readonly qProjWeight?: Tensor | undefined;
  readonly kProjWeight?: Tensor | undefined;
  readonly vProjWeight?: Tensor | undefined;
  /** [3E] */
  readonly inProjBias?: Tensor | undefined;
  /** One more key and value for all sequences: [1, 1, E]. */
  readonly biasK?: Tensor | undefined;
  readonly biasV?: Tensor | undefined;
}

export interface HeadOptions {
  readonly numHeads: number;
  /** `[N, S]`: true where a key is padding (or numbers that are added to its scores). */
  readonly keyPaddingMask?: Tensor | undefined;
  /** [L, S] or [N · heads, L, S]: true where a query must not see a key (or numbers that are added to the scores). */
  readonly attnMask?: Tensor | undefined;
  /** Query i sees keys 0 … i only. */
  readonly isCausal?: boolean | undefined;
  /** One more key and value of zeros. */
  readonly addZeroAttn?: boolean | undefined;
  readonly dropoutP?: number | undefined;
}

type Triple = readonly [query: Tensor, key: Tensor, value: Tensor];

function project(inputs: Triple, weights: HeadWeights, width: number): Triple {
  const { inProjWeight, inProjBias, qProjWeight, kProjWeight, vProjWeight } = weights;
  const [query, key, value] = inputs;
  if (inProjWeight !== undefined && key === query && value === query) {
    return linear(query, inProjWeight, inProjBias).chunk(3, -1) as unknown as Triple;
  }
  const rows = inProjWeight?.chunk(3, 0) ?? [qProjWeight, kProjWeight, vProjWeight];
  return inputs.map((input, i) => {
    const own = rows[i];
    if (own === undefined) throw new ShapeError(`${describe('multiHeadAttention')}: projection ${i + 1} of 3 is missing`, { remedy: 'give inProjWeight, or qProjWeight, kProjWeight and vProjWeight' });
    return linear(input, own, inProjBias?.narrow(0, i * width, width));
  }) as unknown as Triple;
}

/** One more place in a mask's last axis, which every query sees. */
function widen(mask: Tensor | undefined, extra: number): Tensor | undefined {
  return extra === 0 ? mask : mask?.pad([0, extra]);
}

/** Keys or values [N, S, E] with a learned one and one of zeros behind them. */
function lengthen(x: Tensor, learned: Tensor | undefined, zero: boolean): Tensor {
  const [n = 0, , width = 0] = x.shape;
  const more = [learned?.expand(n, 1, width), zero ? zeros([n, 1, width], { dtype: x.dtype }) : undefined].flatMap((part) => part ?? []);
  return more.length === 0 ? x : cat([x, ...more], 1);
}

function checkMask(mask: Tensor | undefined, shapes: readonly (readonly number[])[], name: string): void {
  if (mask === undefined) return;
  if (!shapes.some((shape) => shape.join() === mask.shape.join())) {
    throw new ShapeError(`${describe('multiHeadAttention')}: ${name} ${formatShape(mask.shape)} is not ${shapes.map(formatShape).join(' or ')}`);
  }
  if (mask.dtype !== 'bool' && !mask.dtype.startsWith('float')) {
    throw new DtypeError(`${describe('multiHeadAttention')}: ${name} of dtype ${mask.dtype}`, { remedy: 'use bool (true hides), or numbers to add to the scores' });
  }
}

/**
 * Attention in heads, before the output projection: query [N, L, E], key [N, S, K], value [N, S, V] → output [N, L, E],
 * weights [N, heads, L, S].
 */
export function attendInHeads(inputs: Triple, weights: HeadWeights, options: HeadOptions): Attended {
  const what = describe('multiHeadAttention');
  const [query, key, value] = inputs;
  const [n = 0, length = 0, width = 0] = query.shape;
  const keys = key.shape[1] ?? 0;
  if (inputs.some(({ ndim, shape }) => ndim !== 3 || shape[0] !== n) || value.shape[1] !== keys) {
    throw new ShapeError(`${what}: query ${formatShape(query.shape)}, key ${formatShape(key.shape)} and value ${formatShape(value.shape)} (batch first) do not fit`, {
      remedy: 'batch sizes must be equal, and keys as many as values',
    });
  }
  const { numHeads, dropoutP, addZeroAttn = false, isCausal = false } = options;
  if (width % numHeads !== 0) throw new ShapeError(`${what}: width ${width} does not divide into ${numHeads} heads`);
  checkMask(options.keyPaddingMask, [[n, keys]], 'keyPaddingMask');
  checkMask(options.attnMask, [[length, keys], [n * numHeads, length, keys]], 'attnMask');
  const [q, own, content] = project(inputs, weights, width);
  const k = lengthen(own, weights.biasK, addZeroAttn);
  const v = lengthen(content, weights.biasV, addZeroAttn);
  const extra = (k.shape[1] ?? 0) - keys;
  const order = isCausal ? hiddenByOrder(length, keys) : undefined;
  const [padding, seen, hidden] = [options.keyPaddingMask, options.attnMask, order].map((mask) => widen(mask, extra));
  const masks = [
    seen?.ndim === 3 ? seen.reshape(n, numHeads, length, -1) : seen,
    hidden,
    padding?.reshape(n, 1, 1, -1),
  ].flatMap((mask) => mask ?? []);
  const heads = (x: Tensor): Tensor => x.reshape(n, x.shape[1] ?? 0, numHeads, width / numHeads).transpose(1, 2);
  const { output, weights: shares } = attend(heads(q), heads(k), heads(v), { masks, dropoutP });
  return { output: output.transpose(1, 2).reshape(n, length, width), weights: shares };
}
