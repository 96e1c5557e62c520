// The parts of an architecture that can be chosen: normalization and activation.
import { UserError } from '@athanor/core';
import { ELU, GELU, Identity, LeakyReLU, PReLU, ReLU, SELU, Sigmoid, SiLU, Softplus, Tanh, type Module, type TensorModule } from '@athanor/core/nn';
import type { NormFactory } from '@athanor/core/plugin';

/** Activations by the name that configs use; those that learn something get a parameter per channel. */
export const activations = {
  /** max(0, x) */
  relu: () => new ReLU(),
  /** x, or x / 100 below 0 */
  leaky: () => new LeakyReLU(),
  /** x, or eˣ − 1 below 0 */
  elu: () => new ELU(),
  /** ELU scaled so that variances go towards 1 */
  selu: () => new SELU(),
  /** x, or a learned multiple of it below 0, one a feature */
  prelu: (features: number) => new PReLU(features),
  /** x Φ(x) */
  gelu: () => new GELU(),
  /** x σ(x) */
  silu: () => new SiLU(),
  /** log(1 + eˣ) */
  softplus: () => new Softplus(),
  /** tanh x */
  tanh: () => new Tanh(),
  /** σ(x) = 1 / (1 + e⁻ˣ) */
  sigmoid: () => new Sigmoid(),
  /** x */
  none: () => new Identity(),
} as const satisfies Record<string, (features: number) => TensorModule>;

/** The name of an activation. */
export type Activation = keyof typeof activations;

/** Names that configs may give for an activation. */
export const activationNames = Object.keys(activations) as [Activation, ...Activation[]];

/** No normalization. */
export const noNorm: NormFactory = () => new Identity();

/** Whether a normalization learns a shift, which makes a bias in front of it redundant. */
export function learnsShift(norm: Module): boolean {
  return norm.namedParameters().some(([name]) => name === 'bias');
}

/** Channels, height and width of an image input. */
export function imageShape(input: readonly number[], model: string): [channels: number, height: number, width: number] {
  const [channels, height, width, ...rest] = input;
  if (channels === undefined || height === undefined || width === undefined || rest.length > 0) {
    throw new UserError(`${model} takes images [C, H, W], not samples of shape [${input.join(', ')}]`, { remedy: 'choose a data set of images, or the model mlp' });
  }
  return [channels, height, width];
}
