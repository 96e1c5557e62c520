// A whole run in miniature: every kind of problem on a backend, and a peer's process.
import { describe, expect, it, vi } from 'vitest';
import { benchmark, type Outcome } from './benchmark.ts';
import { makeBackend } from './backends.ts';
import { errorOf } from './error.ts';
import { parseOptions, type Options } from './options.ts';
import { childContestant } from './peers/child.ts';
import type { Case } from './problem.ts';
import { smallProblems } from './testing/problems.ts';
import type { Row } from './row.ts';

const patience = 60_000;

/** The workloads' own test has the deep networks, which take seconds to compile. */
const small: readonly Case[] = smallProblems
  .filter(({ kind }) => kind !== 'resnet20' && kind !== 'unet')
  .map((problem, i) => ({ workload: `W${i % 3}`, name: `case-${i}`, problem, unit: 'ms', work: 1 }));

function optionsOf(...words: string[]): Options {
  const options = parseOptions(['--no-peers', '--backend', 'cpu', '--time', '0.02', ...words]);
  if (options === undefined) throw new Error('help');
  return options;
}

async function run(options: Options, from = small): Promise<Outcome & { told: readonly Row[]; notes: readonly string[] }> {
  const [told, notes]: [Row[], string[]] = [[], []];
  const outcome = await benchmark(options, { row: (row) => told.push(row), note: (text) => notes.push(text) }, from);
  return { ...outcome, told, notes };
}

describe('benchmark', () => {
  it('measures every kind of problem and its error', async () => {
    const { rows, told, notes } = await run(optionsOf());
    expect(rows).toHaveLength(small.length);
    expect(told).toEqual(rows);
    expect(notes.join()).toMatch(/^cpu: cpu-/);
    for (const row of rows) {
      expect(row.median_ms).toBeGreaterThan(0);
      expect(row.error).toBeGreaterThan(0);
      expect(row.error).toBeLessThan(1e-3);
    }
  }, patience);

  it('runs what was chosen, on the reference too', async () => {
    const { rows } = await run(optionsOf('--backend', 'cpu,reference', '--only', 'W0', '--case', 'case-0,case-1'));
    expect(rows.map(({ backend, case: name }) => `${backend} ${name}`)).toEqual(['cpu case-0', 'reference case-0']);
    expect(rows[1]?.error).toBeLessThan(1e-7);
  });

  it('goes on after a case that fails', async () => {
    const impossible: Case = { workload: 'W0', name: 'impossible', problem: { kind: 'conv', input: [1, 1, 2, 2], outputs: 1, kernel: 5, padding: 0, train: false }, unit: 'ms', work: 1 };
    const { rows, failures, notes } = await run(optionsOf(), [impossible, ...small.slice(0, 1)]);
    expect(rows.map((row) => row.case)).toEqual(['case-0']);
    expect(failures).toBe(1);
    expect(notes.join('\n')).toMatch(/W0 impossible on cpu failed: ShapeError: y: \[1, 1, -2, -2\]/);
  });

  it('measures no step whose results are wrong', async () => {
    const backend = await makeBackend('cpu', 1);
    const read = backend.read.bind(backend);
    vi.spyOn(backend, 'read').mockImplementation(async (...args) => Float32Array.from(await read(...args), (value) => value * 1.01));
    await expect(errorOf(backend, { kind: 'matmul', n: 8, form: 'NN' })).rejects.toThrow(/^its results are wrong: relative error 1\.0e-2, more than 0\.001$/);
  });

  it('says what there is when nothing is chosen', async () => {
    await expect(run(optionsOf('--only', 'W7'))).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: --only W7 — choose among W0, W1, W2]`);
    await expect(run(optionsOf('--only', 'W1', '--case', 'NN-7'))).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: --case NN-7 — choose among case-1, case-4, case-7, case-10, case-13, case-16]`);
  });
});

describe('a peer in another process', () => {
  const script = `
    const lines = require('node:readline').createInterface({ input: process.stdin });
    lines.on('line', (line) => {
      const question = JSON.parse(line);
      if (question.ask === 'sample') process.exit(3);
      console.log('some chatter');
      console.log(JSON.stringify(question.ask === 'prepare' ? { values: [question.problem.n, question.parameters.length] } : { failed: 'cannot warm up' }));
    });`;
  const peer = childContestant({ name: 'scripted', command: process.execPath, args: ['-e', script], environment: process.env });

  it('answers, fails, ends, and can start again', async () => {
    expect(await peer.prepare({ kind: 'gelu', n: 4 }, 1)).toEqual([4, 0]);
    await expect(peer.warm(0.1)).rejects.toThrow('scripted: cannot warm up');
    expect(await peer.prepare({ kind: 'mlp', batch: 1, sizes: [4, 3, 2] }, 1)).toEqual([null, 4]);
    await expect(peer.sample(0.1)).rejects.toThrow('scripted: its process ended (code 3)');
    await peer.close();
    expect(await peer.prepare({ kind: 'gelu', n: 5 }, 1)).toEqual([5, 0]);
    await peer.close();
  });

  it('is an error where the program is missing', async () => {
    const missing = childContestant({ name: 'missing', command: '/nowhere/python3', args: [], environment: {} });
    await expect(missing.prepare({ kind: 'gelu', n: 4 }, 1)).rejects.toThrow('missing: spawn /nowhere/python3 ENOENT');
    await missing.close();
  });
});
