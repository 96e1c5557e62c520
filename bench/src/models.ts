// The parameters of the three networks in the order in which every contestant holds them.
import type { Parameter } from './numbers.ts';
import type { ProblemOf } from './problem.ts';

const inputsOf = (shape: readonly number[]): number => shape.slice(1).reduce((product, size) => product * size, 1);
/** ±1/√fan-in, as PyTorch starts them. */
const spreadOf = (shape: readonly number[]): number => Math.fround(1 / Math.sqrt(inputsOf(shape)));
const weight = (shape: readonly number[]): Parameter => ({ shape, center: 0, spread: spreadOf(shape) });
const perOutput = ([outputs = 0]: readonly number[], center: number, spread: number): Parameter => ({ shape: [outputs], center, spread });
const withBias = (...shape: number[]): Parameter[] => [weight(shape), perOutput(shape, 0, spreadOf(shape))];
/** A convolution without bias, then batch norm. */
const normalized = (...shape: number[]): Parameter[] => [weight(shape), perOutput(shape, 1, 0.25), perOutput(shape, 0, 0.25)];

/** The CIFAR form: stages of this width, and how often each repeats its block. */
export const resnetWidths = [16, 32, 64] as const;
export const resnetBlocks = 3;

function resnetParameters(): Parameter[] {
  const parameters = normalized(16, 3, 3, 3);
  let channels = 16;
  for (const width of resnetWidths) {
    for (let block = 0; block < resnetBlocks; block++) {
      parameters.push(...normalized(width, channels, 3, 3), ...normalized(width, width, 3, 3));
      if (channels !== width) parameters.push(...normalized(width, channels, 1, 1));
      channels = width;
    }
  }
  return [...parameters, ...withBias(10, 64)];
}

export type ModelProblem = ProblemOf<'lenet5' | 'resnet20' | 'mlp'>;

/** Parameters of a network, in the order of its layers. */
export function parametersOf(problem: ModelProblem): Parameter[] {
  switch (problem.kind) {
    case 'lenet5':
      return [...withBias(6, 1, 5, 5), ...withBias(16, 6, 5, 5), ...withBias(120, 400), ...withBias(84, 120), ...withBias(10, 84)];
    case 'resnet20':
      return resnetParameters();
    case 'mlp':
      return problem.sizes.slice(1).flatMap((size, layer) => withBias(size, problem.sizes[layer] ?? 0));
    default:
      return problem satisfies never;
  }
}
