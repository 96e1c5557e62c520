// W2: a chain of elementwise operations with a transcendental one, in one pass over memory where engines can fuse.
import type { Tensor } from '@athanor/core';
import { functional } from '@athanor/core/nn';
import { inputsOf } from '../numbers.ts';
import { geluScale, geluShift, type Case, type ProblemOf } from '../problem.ts';
import { operation, type Subject } from './subject.ts';

const sizes = { '1M': 2 ** 20, '16M': 2 ** 24 };

export const cases: readonly Case[] = Object.entries(sizes).map(([name, n]) => ({
  workload: 'W2',
  name,
  problem: { kind: 'gelu', n },
  unit: 'GB/s',
  work: 8 * n,
}));

export function gelu(problem: ProblemOf<'gelu'>): Subject {
  const shape = [problem.n];
  return operation({
    inputs: inputsOf(problem),
    shapes: { x: shape },
    results: { y: shape },
    read: 'y',
    compute: (x: Tensor) => ({ y: functional.gelu(x.mul(geluScale).add(geluShift), { approximate: 'tanh' }) }),
  });
}
