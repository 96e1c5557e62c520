// All rows of the benchmark, and what we compute for each.
import type { Case, Problem } from '../problem.ts';
import { cases as convolutionCases, conv } from './convolution.ts';
import { cases as diffusionCases, diffusionSampling, diffusionTraining } from './diffusion.ts';
import { cases as elementwiseCases, gelu } from './elementwise.ts';
import { cases as matmulCases, matmul } from './matmul.ts';
import { cases as networkCases, network } from './networks.ts';
import { cases as normCases, norm } from './normalization.ts';
import { cases as overheadCases, chain, tinyBackward, tinyOp } from './overhead.ts';
import { cases as softmaxCases, softmax } from './softmax.ts';
import type { Subject } from './subject.ts';

export const cases: readonly Case[] = [
  ...overheadCases,
  ...matmulCases,
  ...elementwiseCases,
  ...normCases,
  ...convolutionCases,
  ...networkCases,
  ...diffusionCases,
  ...softmaxCases,
];

/** Our step for a problem, on the engine's current backend. */
export function subjectOf(problem: Problem): Subject {
  switch (problem.kind) {
    case 'tiny-op':
      return tinyOp(problem);
    case 'tiny-backward':
      return tinyBackward(problem);
    case 'chain':
      return chain(problem);
    case 'matmul':
      return matmul(problem);
    case 'gelu':
      return gelu(problem);
    case 'batch-norm':
    case 'layer-norm':
      return norm(problem);
    case 'softmax':
      return softmax(problem);
    case 'conv':
      return conv(problem);
    case 'lenet5':
    case 'resnet20':
    case 'mlp':
      return network(problem);
    case 'unet':
      return problem.train ? diffusionTraining(problem) : diffusionSampling(problem);
    default:
      return problem satisfies never;
  }
}
