// Fine-tuning: a stage that begins with the weights of another, as a graph that shares the other.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@athanor/data';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { runStudy } from '../run/runner.ts';
import { createStudy, stageFolder } from '../run/study.ts';
import type { Run } from '../run/study.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const file = `plugins: [${JSON.stringify(source('../testing/tiny.ts'))}, ${JSON.stringify(source('../../../backends/cpu/src/index.ts'))}]
backend: cpu
data: { name: moons, noise: 0.1, train: 64, test: 32 }
model: { name: tiny, hidden: 4 }
stages:
  pretrain: { name: train, data: "\${data}", model: "\${model}", batch: 16, steps: 12 }
  tune: { name: train, data: "\${data}", model: "\${model}", start: pretrain, needs: [pretrain], optimizer: { name: sgd, lr: "\${lr}" }, batch: 16, steps: 1 }
sweep: { grid: { lr: [1.0e-12, 0.5] } }
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'athanor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(text: string, words: readonly string[] = []): Promise<readonly Run[]> {
  writeFileSync(join(folder, 'tune.yaml'), text);
  const experiment = await loadExperiment(join(folder, 'tune.yaml'), { builtin: builtinPlugins, words });
  const study = createStudy(experiment, join(folder, 'runs'));
  await runStudy(study, { registry: experiment.registry, packages: {}, observer: { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} } });
  return study.runs;
}

const weights = (run: Run | undefined, stage: number) => {
  if (run === undefined) throw new Error('there is no such run');
  return [...(readSafetensors(readFileSync(join(stageFolder(run, stage), 'model.safetensors'))).tensors.get('last.weight')?.data ?? [])].map(Number);
};

it('goes on from trained weights', async () => {
  const [still, moved] = await run(file);
  const before = weights(still, 0);
  expect(weights(moved, 0)).toEqual(before);
  expect(weights(still, 1)).toEqual(before);
  expect(weights(moved, 1)).not.toEqual(before);
});

it('says which stage it is that is not needed or does not fit', async () => {
  await expect(run(file, ['stages.tune.start=pretrian'])).rejects.toThrow('start: "pretrian" is not a stage that this one needs — did you mean "pretrain"? — it needs pretrain');
  await expect(run(file, ['stages.tune.model={ name: tiny, hidden: 5 }'])).rejects.toThrow(
    'start: the weights of pretrain are not of this model: the state does not fit:\n  first.weight is float32 [5, 2] here, but float32 [4, 2] in what is loaded',
  );
});
