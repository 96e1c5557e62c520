// Data-parallel training: two processes, each with half of every batch, train what one process trains with the whole.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMetrics } from '@athanor/lab';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(root, 'experiments/.replicas-'));
afterAll(() => rmSync(folder, { recursive: true }));

const words = ['--conditions=@athanor/source', '--import', join(root, 'packages/lab/src/testing/source.mjs'), join(root, 'packages/lab/src/cli.ts')];

function experiment(train: string, norm: string): string {
  return `plugins: ["@athanor/norm", "@athanor/zoo"]
backend: { name: wasm, threads: 1 }
data: { name: fashion-mnist }
model: { name: lenet5, norm: ${norm} }
train: { optimizer: { name: sgd, lr: 0.05, momentum: 0.9 }, batch: 32, steps: 6, logEvery: 1${train} }
`;
}

/** Runs an experiment in a process of its own; the training losses, the test accuracy last. */
async function run(name: string, text: string): Promise<number[]> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  const runs = mkdtempSync(join(tmpdir(), 'athanor-'));
  const child = spawn(process.execPath, [...words, 'run', file, '--runs', runs], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, error: code === 0 ? '' : Buffer.concat(said).toString() }).toEqual({ code: 0, error: '' });
  const [study = ''] = readdirSync(runs).filter((entry) => entry.startsWith(name));
  const job = join(runs, study, 'seed-0');
  const stage = readdirSync(job).find((entry) => entry.includes('train')) ?? '';
  const rows = readMetrics(join(job, stage, 'metrics.arrow'));
  rmSync(runs, { recursive: true });
  return rows.filter(({ metric }) => metric === 'train.loss' || metric === 'test.loss').map(({ value }) => value);
}

let whole: number[] = [];
beforeAll(async () => {
  whole = await run('whole', experiment('', 'batch'));
}, 120_000);

it('two replicas with synchronized batch norm have the loss curve of one process', { timeout: 120_000 }, async () => {
  const parts = await run('parts', experiment(', replicas: 2', 'synchronized-batch'));
  expect(whole).toHaveLength(7);
  expect(parts).toHaveLength(7);
  whole.forEach((loss, i) => expect(Math.abs((parts[i] ?? NaN) - loss)).toBeLessThan(2e-4 * loss));
});

it('without synchronization the curve is another', { timeout: 120_000 }, async () => {
  const parts = await run('apart', experiment(', replicas: 2', 'batch'));
  expect(Math.max(...whole.map((loss, i) => Math.abs((parts[i] ?? NaN) - loss)))).toBeGreaterThan(1e-2);
});
