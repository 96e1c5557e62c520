// For tests: the program that the engine makes of tensors and assignments, as a list of its kernels.
import type { Tensor, Variable } from '@athanor/core';
import { canonicalize, explainProgram, schedule, verify, type BackendLimits, type Program } from '@athanor/core/backend';

const limits: BackendLimits = {
  buffersPerKernel: 32,
  storesPerKernel: 16,
  elements: 2 ** 31,
  dtypes: ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'],
};

/** The verified program that computes tensors and assigns Variables. */
export function programOf(outputs: readonly Tensor[], assignments: readonly (readonly [Variable, Tensor])[] = []): Program {
  const graph = canonicalize({
    outputs: outputs.map(({ node }) => node),
    assignments: assignments.map(([variable, { node }]) => ({ variable, value: node })),
  });
  const program = schedule(graph, limits);
  verify(program);
  return program;
}

/** Kinds of its kernels, in the order in which they run. */
export function kernelsOf(program: Program): string[] {
  return program.commands.map(({ kernel }) => program.kernels[kernel]?.kind ?? 'none');
}

export const explain = explainProgram;
