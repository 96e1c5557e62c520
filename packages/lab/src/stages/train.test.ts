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

/** The locks name this process, which lives on. */
function unlock(root: string): void {
  const locks = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => /(^|\/)lock$/.test(file));
  for (const name of locks) rmSync(join(root, name));
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

  it('goes on exactly after kills at checkpoints', async () => {
    const whole = identity(join(folder, 'whole', only(readdirSync(join(folder, 'whole')))));
    for (const at of [30, 45, 60]) {
      let operations = 0;
      const release = watchFileOperations(() => {
        if (++operations >= at) throw new Error('killed');
      });
      await expect(run('killed')).rejects.toThrow('killed');
      release();
      unlock(join(folder, 'killed'));
    }
    const study = await run('killed');
    expect(existsSync(join(only(study.runs).folder, '0-train', 'timing-2.arrow'))).toBe(true);
    expect(identity(study.folder)).toEqual(whole);
  });

  it('goes on exactly with everything that has a state of its own', async () => {
    const words = [
      'train.optimizer={ name: nadam, lr: 0.02, weightDecay: 0.01 }',
      'train.schedule={ name: plateau, metric: validation.loss, patience: 0, threshold: 0.2, factor: 0.5 }',
      'train.ema={ decay: 0.9, warmup: true }',
      'train.clip={ norm: 0.5 }',
      'train.mixup=0.2',
      'train.validation=32',
      'train.groups=[{ match: last.*, lrScale: 0.5 }]',
      'train.decay=weights',
    ];
    const whole = await run('stateful', words);
    const [job] = whole.runs;
    const metrics = readMetrics(join(job?.folder ?? '', '0-train', 'metrics.arrow'));
    const logged = ['train.loss', 'train.gradientNorm', 'validation.loss', 'validation.accuracy', 'test.loss', 'test.accuracy'];
    expect(metrics.map(({ metric }) => metric)).toEqual(expect.arrayContaining(logged));
    for (const at of [45, 60]) {
      let operations = 0;
      const release = watchFileOperations(() => {
        if (++operations >= at) throw new Error('killed');
      });
      await expect(run('broken', words)).rejects.toThrow('killed');
      release();
      unlock(join(folder, 'broken'));
    }
    const resumed = await run('broken', words);
    expect(existsSync(join(only(resumed.runs).folder, '0-train', 'timing-2.arrow'))).toBe(true);
    expect(identity(resumed.folder)).toEqual(identity(whole.folder));
  });

  it('evaluates and saves the averages, not the weights that training ends with', async () => {
    const [plain, averaged, frozen] = [await run('plain'), await run('averaged', ['train.ema.decay=0.9']), await run('frozen', ['train.ema.decay=0.9999999'])];
    const weights = ({ runs }: Study) => readSafetensors(readFileSync(join(only(runs).folder, '0-train', 'model.safetensors'))).tensors.get('last.weight')?.data;
    expect(weights(averaged)).not.toEqual(weights(plain));
    // Averages that hardly move are the first weights: about chance.
    const [last, first] = [finalNumbers(only(averaged.runs)), finalNumbers(only(frozen.runs))].map((numbers) => numbers['test.loss'] ?? NaN);
    expect(last).toBeLessThan(0.6);
    expect(first).toBeGreaterThan(0.6);
    const training = ({ runs }: Study) => readMetrics(join(only(runs).folder, '0-train', 'metrics.arrow')).filter(({ metric }) => metric === 'train.loss');
    expect(training(averaged)).toEqual(training(plain));
  });

  it('stops when the loss is no number, and keeps the checkpoint before', async () => {
    const words = ['train.optimizer={ name: sgd, lr: 1.0e+30 }', 'train.checkpointEvery=1', 'train.loss=squared'];
    await expect(run('diverged', words)).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: the training loss is Infinity at step 2, with a learning rate of 3.333e+29 — try a lower learning rate, a warm-up (schedule: { warmup: 100 }), clipped gradients (clip: { norm: 1 }), or data on a smaller scale; no checkpoint holds this]`);
    const job = join(folder, 'diverged', only(readdirSync(join(folder, 'diverged'))));
    const kept = readdirSync(job, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('tensors.safetensors'));
    for (const file of kept) {
      for (const { data } of readSafetensors(readFileSync(join(job, file))).tensors.values()) expect(Array.from(data, Number).every(Number.isFinite)).toBe(true);
    }
    expect(kept).not.toEqual([]);
  });

  it('tells what does not fit', async () => {
    await expect(run('wrong', ['train.batch=500'])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: train.batch is 500, but moons has 160 samples to train on — use a batch of at most 160]`);
    await expect(run('wrong', ['train.steps=5'])).rejects.toThrow('tiny.yaml:6:3 train: write either epochs or steps');
    await expect(run('wrong', ['train.schedule={ name: plateau, metric: validation.loss }'])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: command line "train.schedule={ name: plateau, metric: validation.loss }" train.schedule.metric: nothing is held out: write validation beside batch, with a number of samples]`);
    await expect(run('wrong', ['train.validation=160'])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: train.validation is 160, but moons has 160 samples to train on — hold out at most 159]`);
    await expect(run('wrong', ['train.groups=[{ match: lsat.bias }]'])).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: train.groups: no parameter's name is "lsat.bias" — did you mean "last.bias"? — * stands for anything]`);
    await expect(run('wrong', ['train.optimizer={ name: sgd, nesterov: true }', 'train.clip={}'])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [UserError: command line "train.clip={}" train.clip: write either norm or value
      command line "train.optimizer={ name: sgd, nesterov: true }" train.optimizer.nesterov: needs a momentum above 0, such as momentum: 0.9]
    `);
  });
});
