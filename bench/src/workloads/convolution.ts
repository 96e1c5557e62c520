// W5: convolutions, alone and with both gradients.
import { grad, type Tensor } from '@athanor/core';
import { functional } from '@athanor/core/nn';
import { convOutput, inputsOf } from '../numbers.ts';
import type { Case, ProblemOf } from '../problem.ts';
import { fixed, operation, type Subject } from './subject.ts';

const middle = { kind: 'conv', input: [32, 64, 32, 32], outputs: 64, kernel: 3, padding: 1 } as const;
const first = { kind: 'conv', input: [128, 1, 28, 28], outputs: 6, kernel: 5, padding: 2 } as const;
/** FLOP of the direct form. */
const forward = 2 * 32 * 64 * 32 * 32 * 64 * 9;

export const cases: readonly Case[] = [
  { workload: 'W5', name: '3x3-forward', problem: { ...middle, train: false }, unit: 'GFLOP/s', work: forward },
  { workload: 'W5', name: '3x3-train', problem: { ...middle, train: true }, unit: 'GFLOP/s', work: 3 * forward },
  { workload: 'W5', name: '5x5-train', problem: { ...first, train: true }, unit: 'ms', work: 1 },
];

export function conv(problem: ProblemOf<'conv'>): Subject {
  const inputs = inputsOf(problem);
  const { input, outputs, kernel, padding, train } = problem;
  const weightShape = [outputs, input[1], kernel, kernel];
  const output = convOutput(problem);
  const weight = fixed(inputs.fixed.weight, weightShape);
  const convolve = (x: Tensor): Tensor => functional.convolution(x, weight.value, { padding });
  if (!train) {
    return operation({ inputs, shapes: { x: input }, results: { y: output }, read: 'y', constants: [weight], compute: (x: Tensor) => ({ y: convolve(x) }) });
  }
  const cotangent = fixed(inputs.fixed.cotangent, output);
  return operation({
    inputs,
    shapes: { x: input },
    results: { y: output, dx: input, dweight: weightShape },
    read: 'dweight',
    constants: [weight, cotangent],
    compute: (x: Tensor) => {
      const y = convolve(x);
      const [dx = y, dweight = y] = grad(y, [x, weight], { cotangent: cotangent.value });
      return { y, dx, dweight };
    },
  });
}
