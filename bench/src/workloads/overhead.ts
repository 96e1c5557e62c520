// W0: what an operation costs that computes next to nothing, one by one and inside a compiled step.
import { compile, fromBuffer, grad, type Tensor, type TypedArray } from '@athanor/core';
import { inputsOf } from '../numbers.ts';
import { batches, type Case, type ProblemOf } from '../problem.ts';
import { Kept, fixed, operation, type Subject } from './subject.ts';

const size = 8;
const length = 1000;
const row = { workload: 'W0', unit: 'µs', work: 1 } as const;

export const cases: readonly Case[] = [
  { ...row, name: 'tiny-op', problem: { kind: 'tiny-op', size, compiled: false } },
  { ...row, name: 'tiny-op-compiled', problem: { kind: 'tiny-op', size, compiled: true } },
  { ...row, name: 'tiny-op-in-step', problem: { kind: 'chain', length }, work: length },
  { ...row, name: 'tiny-backward', problem: { kind: 'tiny-backward', size, compiled: false } },
  { ...row, name: 'tiny-backward-compiled', problem: { kind: 'tiny-backward', size, compiled: true } },
];

/** One addition; the whole result is read. */
export function tinyOp(problem: ProblemOf<'tiny-op'>): Subject {
  const inputs = inputsOf(problem);
  const shape = [problem.size];
  const weight = fixed(inputs.fixed.weight, shape);
  const add = (x: Tensor): Tensor => x.add(weight.value);
  const run = problem.compiled ? compile(add) : add;
  let y: TypedArray = new Float32Array();
  return {
    step: async (i) => {
      y = await run(fromBuffer(inputs.batches[i % batches]?.x ?? new Float32Array(), shape)).data();
      return y.at(-1) ?? NaN;
    },
    results: () => Promise.resolve({ y }),
    dispose: () => {
      weight.dispose();
    },
  };
}

/** sum(x · w) is read; its gradient stays on the device. */
export function tinyBackward(problem: ProblemOf<'tiny-backward'>): Subject {
  const inputs = inputsOf(problem);
  const shape = [problem.size];
  const weight = fixed(inputs.fixed.weight, shape);
  const kept = new Kept({ dweight: shape });
  const differentiate = (x: Tensor): Tensor => {
    const loss = x.mul(weight.value).sum();
    const [dweight] = grad(loss, [weight]);
    if (dweight !== undefined) kept.assign({ dweight });
    return loss;
  };
  const run = problem.compiled ? compile(differentiate) : differentiate;
  let loss = NaN;
  return {
    step: async (i) => {
      loss = await run(fromBuffer(inputs.batches[i % batches]?.x ?? new Float32Array(), shape)).item();
      return loss;
    },
    results: async () => ({ loss: Float32Array.of(loss), ...(await kept.read()) }),
    dispose: () => {
      kept.dispose();
      weight.dispose();
    },
  };
}

/** Products of small matrices, which no compiler joins: the cost of one more operation in a step. */
export function chain(problem: ProblemOf<'chain'>): Subject {
  const inputs = inputsOf(problem);
  const weight = fixed(inputs.fixed.weight, [4, 4]);
  return operation({
    inputs,
    shapes: { x: [4, 4] },
    results: { y: [4, 4] },
    read: 'y',
    constants: [weight],
    compute: (start) => {
      const w = weight.value;
      let y = start as Tensor;
      for (let link = 0; link < problem.length; link++) y = y.matmul(w);
      return { y };
    },
  });
}
