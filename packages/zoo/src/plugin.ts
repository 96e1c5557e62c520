// What this package brings to experiments: architectures by name, each with the schema of its config.
import { UserError } from '@athanor/core';
import { component, componentRef, definePlugin, type ComponentContext, type ComponentRef, type NormFactory } from '@athanor/core/plugin';
import { reparametrizationOf, type Reparametrization } from '@athanor/norm';
import * as z from 'zod';
import { LeNet5 } from './lenet5.ts';
import { LSTMClassifier } from './lstm.ts';
import { MLP } from './mlp.ts';
import { ResNet } from './resnet.ts';
import { activationNames, noNorm, type Activation } from './style.ts';

const weight = componentRef('reparametrization').optional().meta({ description: 'how hidden layers use their weights' });
const norm = componentRef('norm').meta({ description: 'between each hidden layer and its activation' });
const activation = (value: Activation): z.ZodDefault<z.ZodEnum<Record<Activation, Activation>>> => z.enum(activationNames).default(value);

const residual = {
  width: z.int().min(1).default(16).meta({ description: 'channels of the first stage' }),
  shortcut: z.enum(['A', 'B', 'C']).default('B').meta({ description: 'A: zero padding; B: projection where the shape changes; C: projection everywhere' }),
  stemStride: z.int().min(1).default(1).meta({ description: 'stride of the first convolution' }),
  norm: norm.default('batch'),
  activation: activation('relu'),
  weight,
};

type ModelContext = ComponentContext<'model'>;

/** The parts that the references in a config name; a norm of weights goes around the layers instead of behind them. */
function parts(context: ModelContext, refs: { readonly norm: ComponentRef; readonly weight?: ComponentRef | undefined }): { norm: NormFactory; weight: Reparametrization | undefined } {
  const norm = context.make('norm', refs.norm);
  const wrapping = reparametrizationOf(norm);
  const weight = refs.weight === undefined ? wrapping : context.make('reparametrization', refs.weight);
  if (wrapping === undefined) return { norm, weight };
  if (refs.weight !== undefined) throw new UserError('norm and weight both change the weights of hidden layers', { remedy: 'choose one of them' });
  return { norm: noNorm, weight };
}

/** The plugin: architectures as components of kind `model`. */
export default definePlugin({
  name: '@athanor/zoo',
  components: [
    component({
      kind: 'model',
      name: 'mlp',
      summary: 'Multilayer perceptron',
      schema: z.strictObject({
        hidden: z.array(z.int().min(1)).default([256, 128]).meta({ description: 'widths of the hidden layers' }),
        norm: norm.default('none'),
        activation: activation('relu'),
        weight,
      }),
      create: (config, context) => {
        const inputs = context.input.reduce((product, size) => product * size, 1);
        return new MLP(inputs, context.classes, { ...config, ...parts(context, config) });
      },
    }),
    component({
      kind: 'model',
      name: 'lenet5',
      summary: 'LeNet-5 in its modern form (LeCun, Bottou, Bengio & Haffner 1998)',
      schema: z.strictObject({
        norm: norm.default('none'),
        denseNorm: norm.optional().meta({ description: 'of the dense hidden layers; the same as norm unless given' }),
        activation: activation('tanh'),
        pool: z.enum(['avg', 'max']).default('avg'),
        weight,
      }),
      create: ({ denseNorm, ...config }, context) =>
        new LeNet5(context.input, context.classes, { ...config, ...parts(context, config), denseNorm: parts(context, { norm: denseNorm ?? config.norm }).norm }),
    }),
    component({
      kind: 'model',
      name: 'lstm-classifier',
      summary: 'LSTM that reads images as sequences, row by row or in a shuffled order (Le, Jaitly & Hinton 2015)',
      schema: z.strictObject({
        width: z.int().min(1).default(100).meta({ description: 'units' }),
        norm: componentRef('recurrent-norm').default('none').meta({ description: 'of the input and hidden terms and of the cell' }),
        pool: z.int().min(1).default(1).meta({ description: 'side of the squares of pixels that are averaged first' }),
        steps: z.int().min(1).optional().meta({ description: 'steps in which the pixels are read; the height unless given' }),
        permutation: z.int().min(0).optional().meta({ description: 'shuffles the pixels, all images alike, by this seed' }),
        noise: z.number().min(0).default(0).meta({ description: 'standard deviation of the first hidden state in training' }),
      }),
      create: ({ norm: inside, steps, ...config }, context) =>
        new LSTMClassifier(context.input, context.classes, { ...config, ...(steps === undefined ? {} : { steps }), norm: context.make('recurrent-norm', inside) }),
    }),
    component({
      kind: 'model',
      name: 'resnet20',
      summary: 'ResNet-20 for small images (He, Zhang, Ren & Sun 2015)',
      schema: z.strictObject(residual),
      create: (config, context) => new ResNet(context.input, context.classes, { ...config, ...parts(context, config) }),
    }),
    component({
      kind: 'model',
      name: 'resnet-cifar',
      summary: 'ResNet of 6n + 2 layers for small images (He, Zhang, Ren & Sun 2015)',
      schema: z.strictObject({ depth: z.int().min(8).default(20).meta({ description: '6n + 2' }), ...residual }),
      create: (config, context) => new ResNet(context.input, context.classes, { ...config, ...parts(context, config) }),
    }),
  ],
});
