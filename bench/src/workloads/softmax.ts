// W10: softmax over rows, forward and backward.
import { grad, type Tensor } from '@athanor/core';
import { inputsOf } from '../numbers.ts';
import type { Case, ProblemOf } from '../problem.ts';
import { fixed, operation, type Subject } from './subject.ts';

export const cases: readonly Case[] = [
  { workload: 'W10', name: 'train', problem: { kind: 'softmax', shape: [4096, 1024] }, unit: 'ms', work: 1 },
];

export function softmax(problem: ProblemOf<'softmax'>): Subject {
  const inputs = inputsOf(problem);
  const { shape } = problem;
  const cotangent = fixed(inputs.fixed.cotangent, shape);
  return operation({
    inputs,
    shapes: { x: shape },
    results: { y: shape, dx: shape },
    read: 'dx',
    constants: [cotangent],
    compute: (x: Tensor) => {
      const y = x.softmax(-1);
      const [dx = y] = grad(y, [x], { cotangent: cotangent.value });
      return { y, dx };
    },
  });
}
