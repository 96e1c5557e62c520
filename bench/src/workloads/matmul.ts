// W1: square matrix products, with either operand transposed.
import type { Tensor } from '@athanor/core';
import { inputsOf } from '../numbers.ts';
import type { Case, ProblemOf } from '../problem.ts';
import { operation, type Subject } from './subject.ts';

const forms = ['NN', 'TN', 'NT'] as const;
const sizes = [128, 256, 512, 1024];

export const cases: readonly Case[] = forms.flatMap((form) =>
  sizes.map((n) => ({ workload: 'W1', name: `${form}-${n}`, problem: { kind: 'matmul', n, form }, unit: 'GFLOP/s', work: 2 * n ** 3 }) as const),
);

export function matmul(problem: ProblemOf<'matmul'>): Subject {
  const { n, form } = problem;
  return operation({
    inputs: inputsOf(problem),
    shapes: { x: [n, n], second: [n, n] },
    results: { y: [n, n] },
    read: 'y',
    compute: (a: Tensor, b: Tensor) => ({ y: (form === 'TN' ? a.T : a).matmul(form === 'NT' ? b.T : b) }),
  });
}
