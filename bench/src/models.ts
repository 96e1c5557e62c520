// The parameters of the three networks in the order in which every contestant holds them.
import type { Parameter } from './numbers.ts';
import type { ProblemOf } from './problem.ts';

const weight = (...shape: number[]): Parameter => ({ shape, start: 'uniform' });
const zeros = (size: number): Parameter => ({ shape: [size], start: 'zeros' });
const withBias = (...shape: number[]): Parameter[] => [weight(...shape), zeros(shape[0] ?? 0)];
/** A convolution without bias, then batch norm. */
const normalized = (...shape: number[]): Parameter[] => [weight(...shape), { shape: [shape[0] ?? 0], start: 'ones' }, zeros(shape[0] ?? 0)];

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
