// W3 and W4: batch norm and layer norm, forward and backward.
import { grad, type Tensor } from '@athanor/core';
import { normalize, statisticsOf } from '@athanor/norm';
import { inputsOf } from '../numbers.ts';
import { epsilon, type Case, type ProblemOf } from '../problem.ts';
import { fixed, operation, type Subject } from './subject.ts';

export const cases: readonly Case[] = [
  { workload: 'W3', name: 'train', problem: { kind: 'batch-norm', shape: [128, 64, 32, 32] }, unit: 'ms', work: 1 },
  { workload: 'W4', name: 'train', problem: { kind: 'layer-norm', shape: [8192, 768] }, unit: 'ms', work: 1 },
];

/** The result and all gradients stay on the device; the last element of dγ is read. */
export function norm(problem: ProblemOf<'batch-norm' | 'layer-norm'>): Subject {
  const inputs = inputsOf(problem);
  const { shape } = problem;
  const features = [shape[1]];
  const axes = problem.kind === 'batch-norm' ? [0, 2, 3] : [1];
  const perFeature = problem.kind === 'batch-norm' ? [1, shape[1], 1, 1] : features;
  const scale = fixed(inputs.fixed.scale, features);
  const shift = fixed(inputs.fixed.shift, features);
  const cotangent = fixed(inputs.fixed.cotangent, shape);
  return operation({
    inputs,
    shapes: { x: shape },
    results: { y: shape, dx: shape, dscale: features, dshift: features },
    read: 'dscale',
    constants: [scale, shift, cotangent],
    compute: (x: Tensor) => {
      const affine = { weight: scale.value.reshape(perFeature), bias: shift.value.reshape(perFeature) };
      const y = normalize(x, statisticsOf(x, { axes, eps: epsilon }), affine);
      const [dx = y, dscale = y, dshift = y] = grad(y, [x, scale, shift], { cotangent: cotangent.value });
      return { y, dx, dscale, dshift };
    },
  });
}
