// The peers compute the same steps from the same numbers: what they read agrees.
import { afterAll, describe, expect, it } from 'vitest';
import { localContestant, type Contestant } from '../contestant.ts';
import type { Problem } from '../problem.ts';
import { pythonWithTorch, torchPeers } from './torch.ts';
import { tfjsStep } from './tfjs.ts';

const problems: readonly Problem[] = [
  { kind: 'tiny-op', size: 8, compiled: false },
  { kind: 'tiny-backward', size: 8, compiled: false },
  { kind: 'chain', length: 5 },
  { kind: 'matmul', n: 12, form: 'NN' },
  { kind: 'matmul', n: 12, form: 'TN' },
  { kind: 'matmul', n: 12, form: 'NT' },
  { kind: 'gelu', n: 50 },
  { kind: 'batch-norm', shape: [3, 4, 5, 6] },
  { kind: 'layer-norm', shape: [4, 10] },
  { kind: 'softmax', shape: [4, 10] },
  { kind: 'conv', input: [2, 3, 6, 7], outputs: 4, kernel: 3, padding: 1, train: false },
  { kind: 'conv', input: [2, 3, 6, 7], outputs: 4, kernel: 3, padding: 1, train: true },
  { kind: 'conv', input: [2, 1, 8, 8], outputs: 6, kernel: 5, padding: 2, train: true },
  { kind: 'lenet5', batch: 4 },
  { kind: 'resnet20', batch: 3 },
  { kind: 'mlp', batch: 4, sizes: [20, 16, 10] },
];

const title = (problem: Problem): string => JSON.stringify(problem);
const torch = torchPeers(1);
afterAll(async () => {
  await Promise.all(torch.map((peer) => peer.close()));
});

async function valuesOf(peer: Contestant, problem: Problem): Promise<readonly number[]> {
  const ready = await peer.prepare(problem, 2);
  if ('cannot' in ready) throw new Error(ready.cannot);
  return ready.values;
}

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
  it.each(problems.map((problem) => [title(problem), problem] as const))('agree on %s', async (_, problem) => {
    const [first] = torch;
    if (first === undefined) throw new Error('torch has gone');
    const theirs = await valuesOf(first, problem);
    const values = await valuesOf(tfjs, problem);
    expect(theirs).toHaveLength(2);
    values.forEach((value, i) => {
      expect(Math.abs(value - (theirs[i] ?? NaN))).toBeLessThan(5e-4 * Math.max(1, Math.abs(value)));
    });
    expect(new Set(values.map((value) => value.toFixed(9))).size).toBeGreaterThan(1);
  });
});
