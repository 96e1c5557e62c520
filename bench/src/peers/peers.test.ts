// The peers compute the same steps from the same numbers: what they read agrees.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localContestant } from '../contestant.ts';
import type { Problem } from '../problem.ts';
import { smallProblems } from '../testing/problems.ts';
import { pythonWithTorch, torchPeers } from './torch.ts';
import { loadTfjs } from './tfjs-runtime.ts';
import { tfjsStep } from './tfjs.ts';

const title = (problem: Problem): string => JSON.stringify(problem);
const torch = torchPeers(1);
const patience = 60_000;

beforeAll(loadTfjs, patience);
afterAll(async () => {
  await Promise.all(torch.map((peer) => peer.close()));
});

describe('tfjs', () => {
  it('takes samples', async () => {
    const tfjs = localContestant('tfjs-wasm', tfjsStep);
    await tfjs.prepare({ kind: 'matmul', n: 16, form: 'NN' }, 1);
    expect(await tfjs.warm(0.01)).toBeGreaterThan(0);
    expect((await tfjs.sample(0.01)).length).toBeGreaterThan(1);
  });
});

describe.skipIf(pythonWithTorch() === undefined)('torch and tfjs', () => {
  const tfjs = localContestant('tfjs-wasm', tfjsStep);
  it.each(smallProblems.map((problem) => [title(problem), problem] as const))('agree on %s', async (_, problem) => {
    const [first] = torch;
    if (first === undefined) throw new Error('torch has gone');
    const theirs = await first.prepare(problem, 2);
    const values = await tfjs.prepare(problem, 2);
    expect(theirs).toHaveLength(2);
    // Of a network's second step, rounding is amplified by batch norm; a wrong gradient would change it by far more.
    values.forEach((value, i) => {
      expect(Math.abs(value - (theirs[i] ?? NaN))).toBeLessThan((i === 0 ? 1e-5 : 3e-3) * Math.max(1, Math.abs(value)));
    });
    expect(new Set(values.map((value) => value.toFixed(9))).size).toBeGreaterThan(1);
  }, patience);
});
