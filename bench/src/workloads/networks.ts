// W6, W7 and W8: training steps of LeNet-5, ResNet-20 and a multilayer perceptron, as the zoo has them.
import type { Tensor } from '@athanor/core';
import { Adam, SGD, functional, type TensorModule } from '@athanor/core/nn';
import { BatchNorm } from '@athanor/norm';
import { LeNet5, MLP, ResNet } from '@athanor/zoo';
import { classes, epsilon, learningRate, momentum, type Case, type ProblemOf } from '../problem.ts';
import type { Subject } from './subject.ts';
import { training } from './training.ts';

const batch = 128;

export const cases: readonly Case[] = [
  { workload: 'W6', name: 'train', problem: { kind: 'lenet5', batch }, unit: 'images/s', work: batch },
  { workload: 'W7', name: 'train', problem: { kind: 'resnet20', batch, side: 32 }, unit: 'images/s', work: batch },
  { workload: 'W8', name: 'train', problem: { kind: 'mlp', batch, sizes: [784, 512, 512, classes] }, unit: 'steps/s', work: 1 },
];

type Classifier = ProblemOf<'lenet5' | 'resnet20' | 'mlp'>;

function modelOf(problem: Classifier): { readonly model: TensorModule; readonly inputShape: readonly number[] } {
  switch (problem.kind) {
    case 'lenet5': {
      const inputShape = [1, 28, 28];
      return { model: new LeNet5(inputShape, classes), inputShape };
    }
    case 'resnet20': {
      const inputShape = [3, problem.side, problem.side];
      return { model: new ResNet(inputShape, classes, { norm: (features) => new BatchNorm(features, { eps: epsilon }) }), inputShape };
    }
    case 'mlp': {
      const [inputs = 1, ...hidden] = problem.sizes.slice(0, -1);
      return { model: new MLP(inputs, classes, { hidden }), inputShape: [inputs] };
    }
    default:
      return problem satisfies never;
  }
}

/** SGD with momentum; Adam for the perceptron. */
export function network(problem: Classifier): Subject {
  const { model, inputShape } = modelOf(problem);
  const parameters = model.parameters();
  const optimizer = problem.kind === 'mlp' ? new Adam(parameters, { lr: learningRate.adam }) : new SGD(parameters, { lr: learningRate.sgd, momentum });
  const shapes = { x: [problem.batch, ...inputShape], labels: [problem.batch] };
  return training({ problem, model, optimizer, shapes, loss: (x: Tensor, labels: Tensor) => functional.crossEntropy(model.forward(x), labels) });
}
