// How far a backend's results are from float64: from plain loops for operations, from the reference interpreter for
// networks, whose batch is cut so that interpreting them takes seconds.
import { setBackend } from '@athanor/core';
import { referenceBackend, type Backend } from '@athanor/core/backend';
import { expectationsOf, relativeError, type Expectations } from './float64.ts';
import { isModel } from './models.ts';
import type { Problem } from './problem.ts';
import { subjectOf } from './workloads/index.ts';

const interpretedBatch = { lenet5: 16, resnet20: 4, mlp: 16, unet: 1 } as const;
const warmMilliseconds = 300;
/** Rounding stays far below this in every workload. */
const largestError = 1e-3;

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

/** Steps for a while: engines replace their first code by another that they optimise, and that is the one that is timed. */
async function warm(backend: Backend, problem: Problem): Promise<void> {
  setBackend(backend);
  const subject = subjectOf(problem);
  const end = performance.now() + warmMilliseconds;
  try {
    for (let i = 0; i === 0 || performance.now() < end; i++) await subject.step(i);
  } finally {
    subject.dispose();
  }
}

/**
 * Largest relative error of a step's results (for networks: loss, gradients in the optimiser's slots, updated
 * parameters). Throws where it is so large that they are wrong: such a step has no time worth telling.
 */
export async function errorOf(backend: Backend, problem: Problem): Promise<number> {
  const cut = isModel(problem) ? { ...problem, batch: Math.min(problem.batch, interpretedBatch[problem.kind]) } : problem;
  const expected = isModel(cut) ? await interpreted(cut) : expectationsOf(cut);
  await warm(backend, cut);
  const error = relativeError(await resultsOn(backend, cut), expected);
  if (!(error <= largestError)) throw new Error(`its results are wrong: relative error ${error.toExponential(1)}, more than ${largestError}`);
  return error;
}
