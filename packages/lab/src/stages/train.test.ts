// Training end to end on the cpu backend: it learns, it is a pure function of config and seed, and it goes on exactly.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@athanor/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finalNumbers } from '../analysis/summary.ts';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { watchFileOperations } from '../run/files.ts';
import { readMetrics } from '../run/metrics.ts';
import { runStudy } from '../run/runner.ts';
import type { Observer } from '../run/observer.ts';
import { createStudy } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { identity } from '../testing/identity.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
let folder = '';
const quiet: Observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  writeFileSync(
    join(folder, 'tiny.yaml'),
    `plugins: [${JSON.stringify(source('../testing/tiny.ts'))}, ${JSON.stringify(source('../../../backends/cpu/src/index.ts'))}]
backend: cpu
data: { name: moons, noise: 0.1, train: 160, test: 80 }
model: { name: tiny, hidden: 12 }
train:
  optimizer: { name: adam, lr: 0.02 }
  schedule: { name: cosine, warmup: 5 }
  batch: 16
  epochs: 6
  logEvery: 4
  checkpointEvery: 7
  probes: [{ name: length, every: 25 }]
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(root: string, words: readonly string[] = []): Promise<Study> {
  const experiment = await loadExperiment(join(folder, 'tiny.yaml'), { builtin: builtinPlugins, words });
  const study = createStudy(experiment, join(folder, root));
  await runStudy(study, { registry: experiment.registry, packages: {}, observer: quiet });
  return study;
}

function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
}

describe('the stage train', () => {
  it('learns, and leaves numbers, weights and an evaluation', async () => {
    const study = await run('whole');
    const { folder: job } = only(study.runs);
    const numbers = finalNumbers(only(study.runs));
    expect(numbers['test.accuracy']).toBeGreaterThan(0.75);
    expect(numbers['parameters']).toBe(2 * 12 + 12 + 12 * 2 + 2);
    const rows = readMetrics(join(job, '0-train', 'metrics.arrow'));
    const losses = rows.filter(({ metric }) => metric === 'train.loss');
    expect(losses.map(({ step }) => step)).toEqual([1, ...Array.from({ length: 15 }, (_, index) => 4 * (index + 1))]);
    expect(rows.filter(({ metric }) => metric === 'test.accuracy').map(({ step }) => step)).toEqual([10, 20, 30, 40, 50, 60]);
    expect(rows.at(-1)?.value).toBe(numbers['test.accuracy']);
    const lengths = rows.filter(({ metric }) => metric === 'length');
    expect(lengths.map(({ step }) => step)).toEqual([1, 26, 51]);
    expect(numbers['length.count']).toBe(3);
    expect(numbers['length.first']).toBe(lengths[0]?.value);
    expect(JSON.parse(readFileSync(join(job, '0-train', 'lengths.json'), 'utf8'))).toEqual(lengths.map(({ value }) => value));
    const weights = readSafetensors(readFileSync(join(job, '0-train', 'model.safetensors')));
    expect([...weights.tensors.keys()].toSorted()).toEqual(['first.bias', 'first.weight', 'last.bias', 'last.weight']);
  });

  it('gives the same bits for the same seed and others for another', async () => {
    const whole = only(readdirSync(join(folder, 'whole')));
    const again = await run('again');
    expect(identity(again.folder)).toEqual(identity(join(folder, 'whole', whole)));
    const other = await run('other', ['seeds=[1]']);
    expect(finalNumbers(only(other.runs))['test.loss']).not.toBe(finalNumbers(only(again.runs))['test.loss']);
  });

  it('learns from batches in parts', async () => {
    const parts = await run('parts', ['train.microBatches=4']);
    expect(finalNumbers(only(parts.runs))['test.accuracy']).toBeGreaterThan(0.75);
  });

  it('goes on exactly after kills at checkpoints', async () => {
    const whole = identity(join(folder, 'whole', only(readdirSync(join(folder, 'whole')))));
    for (const at of [30, 45, 60]) {
      let operations = 0;
      const release = watchFileOperations(() => {
        if (++operations >= at) throw new Error('killed');
      });
      await expect(run('killed')).rejects.toThrow('killed');
      release();
      const job = join(folder, 'killed', only(readdirSync(join(folder, 'killed'))));
      for (const name of readdirSync(job, { recursive: true, encoding: 'utf8' }).filter((file) => /(^|\/)lock$/.test(file))) rmSync(join(job, name));
    }
    const study = await run('killed');
    expect(existsSync(join(only(study.runs).folder, '0-train', 'timing-2.arrow'))).toBe(true);
    expect(identity(study.folder)).toEqual(whole);
  });

  it('tells what does not fit', async () => {
    await expect(run('wrong', ['train.batch=500'])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: train.batch is 500, but moons has 160 samples to train on — use a batch of at most 160]`);
    await expect(run('wrong', ['train.microBatches=3'])).rejects.toThrow('train.batch is 16, which does not split into 3 micro-batches');
    await expect(run('wrong', ['train.steps=5'])).rejects.toThrow('tiny.yaml:6:3 train: write either epochs or steps');
  });
});
