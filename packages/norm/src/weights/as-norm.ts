// Methods that work on weights where a model asks for a normalization of activations: they wrap the layer in front.
import { UserError } from '@athanor/core';
import type { NormFactory } from '@athanor/core/plugin';
import type { Reparametrization } from './layer.ts';

/** A choice of normalization that stands for a reparametrization of the layers in front. */
export interface WrappingNormFactory extends NormFactory {
  readonly reparametrization: Reparametrization;
}

/** A norm for models that look for `reparametrizationOf`; calling it is a UserError, for there is nothing behind the layer. */
export function wrappingNorm(name: string, reparametrization: Reparametrization): WrappingNormFactory {
  const refuse: NormFactory = () => {
    throw new UserError(`norm ${name} changes the weights of the layer in front, which this model does not offer`, { remedy: `reparametrize(model, …), or weight: ${name} where a model has that key` });
  };
  return Object.assign(refuse, { reparametrization });
}

/** The reparametrization that a choice of normalization stands for, if it is one of weights. */
export function reparametrizationOf(norm: NormFactory): Reparametrization | undefined {
  return 'reparametrization' in norm ? (norm as WrappingNormFactory).reparametrization : undefined;
}
