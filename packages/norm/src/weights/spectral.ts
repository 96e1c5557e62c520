// Spectral normalization (Miyato et al. 2018, arXiv 1802.05957): W/σ with σ = uᵀ W v, the largest singular value of the
// weight as a matrix [out, rest]; u and v follow it by one power iteration per training forward.
import type { Tensor } from '@athanor/core';
import { Buffer, init } from '@athanor/core/nn';
import { ReparametrizedLayer, type WeightedLayer } from './layer.ts';

export interface SpectralNormOptions {
  /** Power iterations per training forward; 1 unless given. */
  readonly iterations?: number;
  /** At least this is divided by when u and v are made unit vectors; 1e-12 unless given. */
  readonly eps?: number;
}

/** Power iterations that bring the first u and v near. */
const warmUp = 15;

export class SpectralNorm extends ReparametrizedLayer {
  readonly iterations: number;
  readonly eps: number;
  /** [out] */
  readonly u: Buffer;
  /** [rest] */
  readonly v: Buffer;

  constructor(layer: WeightedLayer, options: SpectralNormOptions = {}) {
    super(layer);
    const { iterations = 1, eps = 1e-12 } = options;
    const { dtype, shape, elements } = layer.weight;
    const [outputs = 0] = shape;
    this.iterations = iterations;
    this.eps = eps;
    this.u = new Buffer({ shape: [outputs], dtype, initial: init.normal()([outputs], dtype) });
    this.v = new Buffer({ shape: [elements / outputs], dtype, initial: init.normal()([elements / outputs], dtype) });
    this.#iterate(this.#matrix().detach(), warmUp);
  }

  override weight(): Tensor {
    const matrix = this.#matrix();
    // What was read is what this forward uses, also when another forward moves u and v on before the gradient is taken.
    const { u, v } = this.training ? this.#iterate(matrix.detach(), this.iterations) : { u: this.u.value, v: this.v.value };
    return this.layer.weight.value.div(u.dot(matrix.mv(v)));
  }

  #matrix(): Tensor {
    const weight = this.layer.weight.value;
    return weight.reshape(weight.shape[0] ?? 0, -1);
  }

  #iterate(matrix: Tensor, times: number): { u: Tensor; v: Tensor } {
    const unit = (x: Tensor): Tensor => x.div(x.norm().maximum(this.eps));
    let [u, v] = [this.u.value, this.v.value];
    for (let i = 0; i < times; i++) {
      u = unit(matrix.mv(v));
      v = unit(matrix.T.mv(u));
    }
    this.u.assign(u);
    this.v.assign(v);
    return { u, v };
  }
}
