// Our steps compute what float64 loops compute, and what TensorFlow.js reads for the same problem.
import { setBackend } from '@athanor/core';
import { referenceBackend } from '@athanor/core/backend';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBackend } from '../backends.ts';
import { expectationsOf, relativeError } from '../float64.ts';
import { isModel, parametersOf } from '../models.ts';
import { loadTfjs } from '../peers/tfjs-runtime.ts';
import { tfjsStep } from '../peers/tfjs.ts';
import { smallProblems } from '../testing/problems.ts';
import { cases, subjectOf } from './index.ts';

const elements = (shapes: readonly { readonly shape: readonly number[] }[]): number =>
  shapes.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);

const patience = 60_000;

beforeAll(loadTfjs, patience);
afterAll(() => {
  setBackend(referenceBackend());
});

describe('subjects', () => {
  it.each(smallProblems.map((problem) => [JSON.stringify(problem), problem] as const))('compute %s', async (_, problem) => {
    setBackend(await makeBackend('wasm', 1));
    const subject = subjectOf(problem);
    const first = await subject.step(0);
    expect(isModel(problem) ? 0 : relativeError(await subject.results(), expectationsOf(problem))).toBeLessThan(2e-6);
    const peer = await tfjsStep(problem);
    expect(Math.abs(first - (await peer(0)))).toBeLessThan(1e-5 * Math.max(1, Math.abs(first)));
    const second = await subject.step(1);
    expect(Math.abs(second - (await peer(1)))).toBeLessThan(3e-3 * Math.max(1, Math.abs(second)));
    subject.dispose();
  }, patience);
});

describe('the list of cases', () => {
  it('has every name once', () => {
    expect(cases.map(({ workload, name }) => `${workload} ${name}`)).toMatchInlineSnapshot(`
      [
        "W0 tiny-op",
        "W0 tiny-op-compiled",
        "W0 tiny-op-in-step",
        "W0 tiny-backward",
        "W0 tiny-backward-compiled",
        "W1 NN-128",
        "W1 NN-256",
        "W1 NN-512",
        "W1 NN-1024",
        "W1 TN-128",
        "W1 TN-256",
        "W1 TN-512",
        "W1 TN-1024",
        "W1 NT-128",
        "W1 NT-256",
        "W1 NT-512",
        "W1 NT-1024",
        "W2 1M",
        "W2 16M",
        "W3 train",
        "W4 train",
        "W5 3x3-forward",
        "W5 3x3-train",
        "W5 5x5-train",
        "W6 train",
        "W7 train",
        "W8 train",
        "W9 train",
        "W9 sample",
        "W10 train",
      ]
    `);
  });

  it('has networks of the sizes that the literature gives', () => {
    expect(elements(parametersOf({ kind: 'lenet5', batch: 1 }))).toBe(61_706);
    expect(elements(parametersOf({ kind: 'resnet20', batch: 1, side: 32 }))).toBe(272_474);
    expect(elements(parametersOf({ kind: 'unet', batch: 1, side: 28, train: true }))).toBe(1_623_169);
  });
});
