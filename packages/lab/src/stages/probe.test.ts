// Probes, batches in parts and divergence as a result, end to end on the cpu backend.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finalNumbers } from '../analysis/summary.ts';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { readFigures } from '../report/figures.ts';
import { watchFileOperations } from '../run/files.ts';
import { readMetrics } from '../run/metrics.ts';
import type { Observer } from '../run/observer.ts';
import { runStudy } from '../run/runner.ts';
import { createStudy } from '../run/study.ts';
import type { Run } from '../run/study.ts';
import { identity } from '../testing/identity.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
let folder = '';
const quiet: Observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  writeFileSync(
    join(folder, 'probed.yaml'),
    `plugins: [${JSON.stringify(source('../testing/tiny.ts'))}, ${JSON.stringify(source('../../../backends/cpu/src/index.ts'))}]
backend: cpu
data: { name: moons, noise: 0.1, train: 160, test: 80 }
model: { name: tiny, hidden: 12 }
train:
  optimizer: { name: adam, lr: 0.02 }
  batch: 16
  steps: 55
  checkpointEvery: 7
  probes: [{ name: length, every: 25 }]
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(root: string, words: readonly string[] = []): Promise<Run> {
  const experiment = await loadExperiment(join(folder, 'probed.yaml'), { builtin: builtinPlugins, words });
  const study = createStudy(experiment, join(folder, root));
  await runStudy(study, { registry: experiment.registry, packages: {}, observer: quiet });
  const [only] = study.runs;
  if (only === undefined) throw new Error('there is none');
  return only;
}

const lengthsOf = ({ folder: job }: Run) => readMetrics(join(job, '0-train', 'metrics.arrow')).filter(({ metric }) => metric === 'length');

it('measures before every so many steps, and sums up', async () => {
  const whole = await run('whole');
  const lengths = lengthsOf(whole);
  expect(lengths.map(({ step }) => step)).toEqual([1, 26, 51]);
  expect(finalNumbers(whole)).toMatchObject({ 'length.count': 3, 'length.first': lengths[0]?.value });
  expect(JSON.parse(readFileSync(join(whole.folder, '0-train', 'lengths.json'), 'utf8'))).toEqual(lengths.map(({ value }) => value));
  const without = await run('without', ['train.probes=[]']);
  expect(finalNumbers(without)['test.loss']).toBe(finalNumbers(whole)['test.loss']);
});

it('keeps what was measured over interruptions', async () => {
  const whole = identity(join(folder, 'whole', readdirSync(join(folder, 'whole'))[0] ?? ''));
  for (const at of [40, 60]) {
    let operations = 0;
    const release = watchFileOperations(() => {
      if (++operations >= at) throw new Error('killed');
    });
    await expect(run('killed')).rejects.toThrow('killed');
    release();
    const study = join(folder, 'killed', readdirSync(join(folder, 'killed'))[0] ?? '');
    for (const name of readdirSync(study, { recursive: true, encoding: 'utf8' }).filter((file) => /(^|\/)lock$/.test(file))) rmSync(join(study, name));
  }
  await run('killed');
  expect(identity(join(folder, 'killed', readdirSync(join(folder, 'killed'))[0] ?? ''))).toEqual(whole);
});

it('learns from batches in parts, which must fit', async () => {
  expect(finalNumbers(await run('parts', ['train.microBatches=4', 'train.steps=120']))['test.accuracy']).toBeGreaterThan(0.75);
  await expect(run('wrong', ['train.microBatches=3'])).rejects.toThrow('train.batch is 16, which does not split into 3 micro-batches');
});

it('takes divergence for a result where it is told to', async () => {
  const words = ['train.optimizer={ name: sgd, lr: 1.0e+30 }'];
  await expect(run('error', words)).rejects.toThrow('the training loss is');
  const numbers = finalNumbers(await run('result', [...words, 'train.divergence=result']));
  expect(numbers['diverged']).toBeLessThan(10);
  expect(numbers['test.accuracy']).toBeGreaterThan(0.3);
  expect(numbers).not.toHaveProperty('test.loss');
});

it('leaves histograms of what layers give and of their gradients, without a trace in the weights', async () => {
  const probed = await run('histograms', ['train.probes=[{ name: histograms, samples: 30, bins: 10 }]']);
  const without = await run('bare', ['train.probes=[]']);
  const stage = join(probed.folder, '0-train');
  expect(readFileSync(join(stage, 'model.safetensors'))).toEqual(readFileSync(join(without.folder, '0-train', 'model.safetensors')));
  const figures = readFigures(stage);
  expect(figures.map(({ name, caption }) => [name, caption])).toEqual([
    ['activations-01-first', 'first: outputs'],
    ['activations-02-last', 'last: outputs'],
    ['gradients-01-first', 'first: gradient of the loss in its weight'],
    ['gradients-02-last', 'last: gradient of the loss in its weight'],
  ]);
  expect(figures.every(({ source: picture }) => picture?.startsWith('data:image/svg+xml'))).toBe(true);
  const counts = figures.map(({ name }) => {
    const { histogram } = JSON.parse(readFileSync(join(stage, `${name}.figure.json`), 'utf8')) as { histogram: { series: { bins: { count: number }[] }[] } };
    return histogram.series[0]?.bins.reduce((sum, { count }) => sum + count, 0);
  });
  // 30 samples of 12 hidden units and 2 classes; weights of 2 × 12 and 12 × 2.
  expect(counts).toEqual([30 * 12, 30 * 2, 24, 24]);
});
