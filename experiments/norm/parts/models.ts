// Models of these experiments: a small convolutional network, and any model with other initial weights.
import type { Tensor } from '@athanor/core';
import { Linear, Module, Sequential, init } from '@athanor/core/nn';
import type { TensorModule } from '@athanor/core/nn';
import { component, componentRef } from '@athanor/core/plugin';
import type { NormFactory } from '@athanor/core/plugin';
import { EvoNormB0, EvoNormS0, FilterResponseNorm } from '@athanor/norm';
import { ConvUnit, activationNames } from '@athanor/zoo';
import type { Activation, Style } from '@athanor/zoo';
import * as z from 'zod';
import { methodConfig, methodNames } from './methods.ts';

interface SmallConvnetOptions {
  readonly widths: readonly number[];
  readonly head: 'average' | 'flatten';
  readonly norm: NormFactory;
  readonly activation: Activation;
  readonly weight: Style['weight'];
}

/** Whether a normalization is its own activation. */
function activates(module: TensorModule): boolean {
  return module instanceof EvoNormB0 || module instanceof EvoNormS0 || (module instanceof FilterResponseNorm && module.threshold !== undefined);
}

/** 3×3 convolutions, all but the last of stride 2, each with norm and activation; then averages (or all cells) and a linear layer. */
class SmallConvnet extends Module {
  readonly layers: Sequential;
  readonly head: Linear;
  readonly pooled: boolean;

  constructor(input: readonly number[], classes: number, { widths, head, norm, activation, weight }: SmallConvnetOptions) {
    super();
    const [channels = 1, ...sides] = input;
    const own = activates(norm(widths[0] ?? 1));
    const units = widths.map((width, i) => {
      const stride = i < widths.length - 1 ? 2 : 1;
      return new ConvUnit(widths[i - 1] ?? channels, width, 3, { padding: 1, stride, norm, activation: own ? 'none' : activation, weight });
    });
    const cells = sides.map((side) => widths.slice(1).reduce((size) => Math.ceil(size / 2), side));
    const last = widths.at(-1) ?? channels;
    this.layers = new Sequential(...units);
    this.pooled = head === 'average';
    this.head = new Linear(this.pooled ? last : cells.reduce((product, size) => product * size, last), classes);
  }

  override forward(x: Tensor): Tensor {
    const maps = this.layers.forward(x);
    return this.head.forward(this.pooled ? maps.mean([2, 3]) : maps.flatten(1));
  }
}

export const models = [
  component({
    kind: 'model',
    name: 'small-convnet',
    summary: 'A few 3×3 convolutions for small images',
    schema: z.strictObject({
      widths: z.array(z.int().min(1)).min(1).default([16, 32, 32]).meta({ description: 'channels; all but the last layer halve the sides' }),
      head: z.enum(['average', 'flatten']).default('average').meta({ description: 'what the linear layer sees: the mean of each map, or all cells' }),
      norm: componentRef('norm').default('none'),
      activation: z.enum(activationNames).default('relu').meta({ description: 'left out where the normalization is its own' }),
      weight: componentRef('reparametrization').optional(),
    }),
    create: ({ norm, weight, ...config }, { input, classes, make }) =>
      new SmallConvnet(input, classes, { ...config, norm: make('norm', norm), weight: weight === undefined ? undefined : make('reparametrization', weight) }),
  }),
  component({
    kind: 'model',
    name: 'normalised',
    summary: 'A model with a method of the table: a normalization, a reparametrization, or both',
    schema: z.strictObject({
      method: z.enum(methodNames),
      use: z.enum(['training', 'evaluation']).default('training').meta({ description: 'evaluation: with the normalization that the method has for it, if it has one' }),
      model: componentRef('model'),
    }),
    create({ method, use, model }, { input, classes, make }) {
      const parts = typeof model === 'string' ? { name: model } : model;
      return make('model', { ...parts, ...methodConfig(method, use) }, { input, classes });
    },
  }),
  component({
    kind: 'model',
    name: 'initialised',
    summary: 'A model whose weights start at N(0, (scale · gain)² / fanIn) and whose biases start at 0',
    schema: z.strictObject({
      model: componentRef('model'),
      scale: z.number().positive().default(1),
      nonlinearity: z.enum(['relu', 'linear']).default('relu').meta({ description: 'relu: gain √2 (He et al. 2015); linear: gain 1' }),
    }),
    create({ model: ref, scale, nonlinearity }, { input, classes, make }) {
      const model = make('model', ref, { input, classes });
      const initial = init.kaimingNormal({ mode: 'fanIn', nonlinearity });
      for (const [name, parameter] of model.namedParameters()) {
        if (parameter.shape.length >= 2) parameter.assign(initial(parameter.shape, parameter.dtype)().map((value) => value * scale));
        else if (/^(.*\.)?(linear|conv|head|layer)\.bias$/.test(name)) parameter.assign(0);
      }
      return model;
    },
  }),
];
