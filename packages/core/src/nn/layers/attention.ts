// Multi-head attention as a layer (Vaswani et al. 2017).
import { UserError } from '../../errors.ts';
import { attendInHeads, type Attended, type HeadOptions } from '../functional/heads.ts';
import { xavierNormal, xavierUniform, zeros } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Linear } from './linear.ts';

export interface MultiheadAttentionOptions {
  /** The share of weights that is dropped in training: 0 unless given. */
  readonly dropout?: number;
  /** true unless given. */
  readonly bias?: boolean;
  /** One more learned key and value for all sequences. */
  readonly addBiasKv?: boolean;
  /** One more key and value of zeros. */
  readonly addZeroAttn?: boolean;
  /** Widths of keys and values: `embedDim` unless given. */
  readonly kdim?: number;
  readonly vdim?: number;
  /** Sequences are [N, L, E] instead of [L, N, E]. */
  readonly batchFirst?: boolean;
}

export interface AttentionCallOptions extends Pick<HeadOptions, 'keyPaddingMask' | 'attnMask' | 'isCausal'> {
  /** Weights as means over the heads: true unless given. */
  readonly averageAttnWeights?: boolean;
}

/**
 * Query [L, N, E], key [S, N, K], value [S, N, V] → output [L, N, E] and weights [N, L, S]. Key and value are the query
 * unless given. A bool mask is true where a key is hidden. Weights that nobody reads cost nothing.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly addZeroAttn: boolean;
  readonly batchFirst: boolean;
  /** [3E, E], or undefined where keys or values have widths of their own. */
  readonly inProjWeight: Parameter | undefined;
  readonly qProjWeight: Parameter | undefined;
  readonly kProjWeight: Parameter | undefined;
  readonly vProjWeight: Parameter | undefined;
  /** [3E] */
  readonly inProjBias: Parameter | undefined;
  /** [1, 1, E] */
  readonly biasK: Parameter | undefined;
  readonly biasV: Parameter | undefined;
  readonly outProj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const { dropout = 0, bias = true, addBiasKv = false, addZeroAttn = false, kdim = embedDim, vdim = embedDim, batchFirst = false } = options;
    if (embedDim % numHeads !== 0) throw new UserError(`MultiheadAttention: width ${embedDim} does not divide into ${numHeads} heads`);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.addZeroAttn = addZeroAttn;
    this.batchFirst = batchFirst;
    const weight = (shape: readonly number[]): Parameter => new Parameter({ shape, initial: xavierUniform()(shape) });
    const extra = (): Parameter | undefined => (addBiasKv ? new Parameter({ shape: [1, 1, embedDim], initial: xavierNormal()([1, 1, embedDim]) }) : undefined);
    const separate = kdim !== embedDim || vdim !== embedDim;
    this.inProjWeight = separate ? undefined : weight([3 * embedDim, embedDim]);
    this.qProjWeight = separate ? weight([embedDim, embedDim]) : undefined;
    this.kProjWeight = separate ? weight([embedDim, kdim]) : undefined;
    this.vProjWeight = separate ? weight([embedDim, vdim]) : undefined;
    this.inProjBias = bias ? new Parameter({ shape: [3 * embedDim], initial: zeros()([3 * embedDim]) }) : undefined;
    this.biasK = extra();
    this.biasV = extra();
    this.outProj = new Linear(embedDim, embedDim, { bias, biasInit: zeros() });
  }

  override forward(query: Tensor, key: Tensor = query, value: Tensor = key, options: AttentionCallOptions = {}): Attended {
    const { numHeads, addZeroAttn, batchFirst } = this;
    const { averageAttnWeights = true, ...masks } = options;
    const turned = (x: Tensor): Tensor => (batchFirst ? x : x.transpose(0, 1));
    const first = turned(query);
    const second = key === query ? first : turned(key);
    const third = value === key ? second : turned(value);
    const { output, weights } = attendInHeads(
      [first, second, third],
      {
        inProjWeight: this.inProjWeight?.value,
        qProjWeight: this.qProjWeight?.value,
        kProjWeight: this.kProjWeight?.value,
        vProjWeight: this.vProjWeight?.value,
        inProjBias: this.inProjBias?.value,
        biasK: this.biasK?.value,
        biasV: this.biasV?.value,
      },
      { numHeads, addZeroAttn, ...masks, dropoutP: this.training ? this.dropout : 0 },
    );
    return { output: turned(this.outProj.forward(output)), weights: averageAttnWeights ? weights.mean(1) : weights };
  }
}
