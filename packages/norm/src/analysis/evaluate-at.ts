// Evaluating a model at other values of its Variables, as one lazy computation that leaves everything as it was.
import type { Tensor, Variable } from '@athanor/core';
import type { Module } from '@athanor/core/nn';

/**
 * What `work` computes while Variables have other values; afterwards they have their own again. Nothing runs here: the
 * tensors that come out keep what they read, so many points can be read as one program.
 */
export function evaluateAt<T>(variables: readonly Variable[], values: readonly Tensor[], work: () => T): T {
  const own = variables.map(({ value }) => value);
  variables.forEach((variable, i) => variable.assign(values[i] ?? variable.value));
  try {
    return work();
  } finally {
    variables.forEach((variable, i) => variable.assign(own[i] ?? variable.value));
  }
}

/** What `work` computes; the buffers of a model (running statistics, counters) are afterwards what they were. */
export function keepingBuffers<T>(model: Module, work: () => T): T {
  const buffers = model.buffers();
  return evaluateAt(buffers, buffers.map(({ value }) => value), work);
}

/** Σ a b over the elements of all pairs. */
export function innerProduct(a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  const parts = a.map((values, i) => values.mul(b[i] ?? values).sum());
  return parts.reduce((sum, part) => sum.add(part));
}

/** The Euclidean length of several tensors together. */
export function lengthOf(tensors: readonly Tensor[]): Tensor {
  return innerProduct(tensors, tensors).sqrt();
}

/** aᵢ − bᵢ for each pair. */
export function differences(a: readonly Tensor[], b: readonly Tensor[]): Tensor[] {
  return a.map((values, i) => values.sub(b[i] ?? values));
}
