// Normalization propagation (Arpit et al. 2016, arXiv 1603.01431): if a layer's input is standard normal and its weights
// have length 1, so is its output; what the activation does to mean and variance is known in advance and undone.
import type { Tensor } from '@athanor/core';
import { ELU, GELU, LeakyReLU, Module, ReLU, SiLU, Sigmoid, Tanh, type TensorModule } from '@athanor/core/nn';
import { WeightNorm } from './weight-norm.ts';
import type { WeightedLayer } from './layer.ts';

/** Activations whose moments are known: as modules, and as functions of one number. */
const activations = {
  relu: { module: () => new ReLU(), f: (z: number) => Math.max(z, 0) },
  leaky: { module: () => new LeakyReLU(), f: (z: number) => (z > 0 ? z : 0.01 * z) },
  elu: { module: () => new ELU(), f: (z: number) => (z > 0 ? z : Math.expm1(z)) },
  tanh: { module: () => new Tanh(), f: Math.tanh },
  sigmoid: { module: () => new Sigmoid(), f: (z: number) => 1 / (1 + Math.exp(-z)) },
  silu: { module: () => new SiLU(), f: (z: number) => z / (1 + Math.exp(-z)) },
  gelu: { module: () => new GELU({ approximate: 'tanh' }), f: (z: number) => 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))) },
} as const satisfies Record<string, { module: () => TensorModule; f: (z: number) => number }>;

/** The name of an activation whose moments are known. */
export type PropagatedActivationName = keyof typeof activations;

/** Names that configs may give for such an activation. */
export const propagatedActivations = Object.keys(activations) as [PropagatedActivationName, ...PropagatedActivationName[]];

/** Mean and standard deviation of f(z) for standard normal z, by Simpson's rule on both sides of 0. */
export function gaussianMoments(f: (z: number) => number): { mean: number; std: number } {
  const [limit, cells] = [12, 4096];
  const step = limit / cells;
  const expectation = (g: (z: number) => number): number => {
    let sum = 0;
    for (const side of [-1, 1]) {
      for (let i = 0; i <= cells; i++) {
        const z = side * i * step;
        const weight = i === 0 || i === cells ? 1 : i % 2 === 1 ? 4 : 2;
        sum += (weight * g(z) * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
      }
    }
    return (sum * step) / 3;
  };
  const mean = expectation(f);
  return { mean, std: Math.sqrt(expectation((z) => (f(z) - mean) ** 2)) };
}

/** (f(x) − E f(z)) / std f(z) for standard normal z: mean 0 and variance 1 go on to the next layer. */
export class PropagatedActivation extends Module {
  readonly activation: TensorModule;
  readonly mean: number;
  readonly std: number;

  constructor(name: PropagatedActivationName = 'relu') {
    super();
    const { module, f } = activations[name];
    this.activation = module();
    const { mean, std } = gaussianMoments(f);
    this.mean = mean;
    this.std = std;
  }

  override forward(x: Tensor): Tensor {
    return this.activation.forward(x).sub(this.mean).mul(1 / this.std);
  }
}

/**
 * f(x) / std f(z) for standard normal z: variance 1 goes on, the mean is left to scaled weight standardization (Brock, De &
 * Smith 2021, arXiv 2101.08692).
 */
export class ScaledActivation extends Module {
  readonly activation: TensorModule;
  /** What is multiplied with: √(2 / (1 − 1/π)) for relu. */
  readonly gain: number;

  constructor(name: PropagatedActivationName = 'relu') {
    super();
    const { module, f } = activations[name];
    this.activation = module();
    this.gain = 1 / gaussianMoments(f).std;
  }

  override forward(x: Tensor): Tensor {
    return this.activation.forward(x).mul(this.gain);
  }
}

/** The layers of such a network: unit weights with a learned length g, which starts at 1 (in the paper at 1/1.21) for all. */
export class PropagatedLayer extends WeightNorm {
  constructor(layer: WeightedLayer, options: { readonly gain?: number } = {}) {
    super(layer, { init: 'unit' });
    this.scale.assign(options.gain ?? 1);
    layer.bias?.assign(0);
  }
}
