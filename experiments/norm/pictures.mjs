// Pictures that `athanor reproduce` does not draw, from finished runs into the folders of their results:
// node experiments/norm/pictures.mjs RUNS, where RUNS is the folder that holds the runs. Needs a build.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { heatMap, lineChart, listStudies, readMetrics } from '@athanor/lab';

const runs = process.argv[2] ?? 'runs';
const here = fileURLToPath(new URL('.', import.meta.url));

/** The newest runs of an experiment with seed 0. */
function firstRuns(name) {
  const study = listStudies(runs).find(({ record }) => record.name === name);
  return (study?.runs ?? []).filter(({ config }) => config.seed === 0);
}

/** The values of a metric over the steps. */
function curve(run, stage, metric) {
  return readMetrics(join(run.folder, stage, 'metrics.arrow')).filter((row) => row.metric === metric);
}

function write(name, file, svg) {
  writeFileSync(join(here, name, file), svg);
  console.log(`${name}/${file}`);
}

const trained = '0-train';

const drifting = firstRuns('sigmoid-drift').filter(({ values }) => values.lr === 0.1);
if (drifting.length > 0) {
  const series = drifting.flatMap((run, look) =>
    [15, 50, 85].map((share) => ({
      name: `${run.values.norm === 'batch' ? 'batch norm' : 'no norm'}, ${share} %`,
      points: curve(run, trained, `drift.0.p${share}`).map(({ step, value }) => ({ x: step - 1, y: value })),
      look,
      faint: share !== 50,
    })),
  );
  write('sigmoid-drift', 'drift.svg', lineChart({ series, x: { label: 'step' }, y: { label: 'a pre-activation of the last layer: 15, 50, 85 %' } }));
}

const landscapes = firstRuns('landscape');
if (landscapes.length > 0) {
  const series = landscapes.map((run) => {
    const [low, high] = ['landscape.low', 'landscape.high'].map((metric) => curve(run, trained, metric));
    return { name: run.values.method, points: low.map(({ step, value }, i) => ({ x: step - 1, y: (value + high[i].value) / 2, low: value, high: high[i].value })) };
  });
  write('landscape', 'losses-along-the-gradient.svg', lineChart({ series, x: { label: 'step' }, y: { label: 'training loss along the gradient' } }));
}

for (const run of firstRuns('invariance')) {
  const folder = join(run.folder, '0-invariance');
  write('invariance', 'truth-table.svg', heatMap(JSON.parse(readFileSync(join(folder, 'truth-table.figure.json'), 'utf8')).heat));
  copyFileSync(join(folder, 'truth-table.md'), join(here, 'invariance', 'truth-table.md'));
}

for (const run of firstRuns('style')) copyFileSync(join(run.folder, '0-style', 'pictures.png'), join(here, 'style', `pictures-${run.values.statistics}.png`));
