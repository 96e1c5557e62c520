// How far a backend's results are from float64: from plain loops for operations, from the reference interpreter for
// networks, whose batch is cut so that interpreting them takes seconds.
import { setBackend } from '@athanor/core';
import { referenceBackend, type Backend } from '@athanor/core/backend';
import { expectationsOf, relativeError, type Expectations } from './float64.ts';
import { isModel } from './models.ts';
import type { Problem } from './problem.ts';
import { subjectOf } from './workloads/index.ts';

const interpretedBatch = { lenet5: 16, resnet20: 4, mlp: 16, unet: 1 } as const;

/** All results of the first step on a backend. */
async function resultsOn(backend: Backend, problem: Problem): Promise<Readonly<Record<string, ArrayLike<number>>>> {
  setBackend(backend);
  const subject = subjectOf(problem);
  try {
    await subject.step(0);
    return await subject.results();
  } finally {
    subject.dispose();
  }
}

async function interpreted(problem: Problem): Promise<Expectations> {
  const results = await resultsOn(referenceBackend(), problem);
  return Object.fromEntries(Object.entries(results).map(([name, values]) => [name, { values: Float64Array.from(values) }]));
}

/** Largest relative error of a step's results (for networks: loss, gradients in the optimiser's slots, updated parameters). */
export async function errorOf(backend: Backend, problem: Problem): Promise<number> {
  if (!isModel(problem)) return relativeError(await resultsOn(backend, problem), expectationsOf(problem));
  const cut = { ...problem, batch: Math.min(problem.batch, interpretedBatch[problem.kind]) };
  const expected = await interpreted(cut);
  return relativeError(await resultsOn(backend, cut), expected);
}
