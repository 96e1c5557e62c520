// `athanor bench` on LeNet-5 with small batches: what it prints, and what it refuses.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from './main.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const before = process.cwd();
const quickstart = [source('../../../../experiments/quickstart.yaml'), 'train.batch=2', 'backend=cpu'] as const;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
  writeFileSync('walk.yaml', `plugins: [${JSON.stringify(source('../testing/toy.ts'))}]\nstages: [{ name: walk, steps: 6 }]\n`);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function athanor(...words: string[]) {
  const out: string[] = [];
  const error: string[] = [];
  const code = await main(words, {
    out: (text) => out.push(text),
    error: (text) => error.push(text),
    progress: { write: (text) => error.push(text) },
  });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

it('shows the time of a step and the slowest kernels beside the limits of the machine', async () => {
  const { code, out, error } = await athanor('bench', ...quickstart, '--seconds', '0.05', '--kernels', '3');
  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out).toContain('norm-none.seed-0 on cpu, 1 threads');
  expect(out).toMatch(/ms a step \(middle half .*\), .* samples\/s/);
  expect(out).toMatch(/ms +share +times +GFLOP\/s +GB\/s +of limit +kernel/);
  expect(out).toMatch(/conv/);
  expect(out).toMatch(/and \d+ more with/);
});

it('takes another job, and gives JSON', async () => {
  const { code, out } = await athanor('bench', ...quickstart, '--job', 'norm-batch.seed-0', '--seconds', '0.05', '--json');
  expect(code).toBe(0);
  const result = JSON.parse(out) as { job: string; backend: string; median: number; commands: number; kernels: number; slowest: { share: number }[] };
  expect(result).toMatchObject({ job: 'norm-batch.seed-0', backend: 'cpu' });
  expect(result.median).toBeGreaterThan(0);
  expect(result.commands).toBeGreaterThanOrEqual(result.kernels);
  expect(result.slowest.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
});

it('says what it cannot do', async () => {
  const mistakes = [
    await athanor('bench', ...quickstart, '--job', 'norm-bach.seed-0'),
    await athanor('bench', ...quickstart, '--seconds', '0'),
    await athanor('bench', ...quickstart, '--kernels', '1.5'),
    await athanor('bench', quickstart[0], 'train.batch=2', 'backend=reference', '--seconds', '0.01'),
    await athanor('bench', 'walk.yaml'),
  ];
  expect(mistakes.map(({ code, error }) => `${code} ${error}`)).toMatchInlineSnapshot(`
    [
      "2 there is no job "norm-bach.seed-0" — did you mean "norm-batch.seed-0", "norm-layer.seed-0" or "norm-none.seed-0"?",
      "2 --seconds 0 — give a number above 0",
      "2 --kernels 1.5 — give a whole number from 1",
      "2 the backend reference cannot profile — use wasm or native",
      "2 the stage walk has no step to time — bench an experiment whose first stage trains",
    ]
  `);
});
