// What a sweep in the process pool takes beyond its jobs: starting processes, loading plugins and data, making models.
//
//   npm run build && node packages/lab/scripts/overhead.mjs experiments/quickstart.yaml [--workers 2] [key=value …]
//
// A job's own time is from its first stage's beginning to its end; all else that its place in the pool spends is overhead.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { builtinPlugins, createStudy, loadExperiment } from '../dist/index.js';
import { poolExecutor } from '../dist/executors/pool.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { workers: { type: 'string', default: '2' } } });
const [file, ...words] = positionals;
const runs = mkdtempSync(join(tmpdir(), 'athanor-overhead-'));
const workers = Number(values.workers);
const study = createStudy(await loadExperiment(file, { builtin: builtinPlugins, words }), runs);

const began = performance.now();
const jobs = new Map();
let last = began;
const outcomes = await poolExecutor({ packages: {}, ownsProcess: true, workers }).run(study.runs.map(({ folder }) => folder), (folder, { kind }) => {
  const now = performance.now();
  if (kind === 'stage' && !jobs.has(folder)) jobs.set(folder, { from: now });
  if (kind === 'ended') {
    jobs.get(folder).to = now;
    last = now;
  }
});
rmSync(runs, { recursive: true });
const failed = outcomes.filter(({ failure }) => failure !== undefined);
if (failed.length > 0) throw new Error(failed[0].failure.message);

const seconds = [...jobs.values()].map(({ from, to }) => (to - from) / 1000);
const sum = seconds.reduce((total, each) => total + each, 0);
// Places stand empty at the end, when no job is left: the last ones to end say how long each was at work.
const ends = [...jobs.values()].map(({ to }) => to).toSorted((a, b) => b - a).slice(0, workers);
const spent = ends.reduce((total, end) => total + (end - began) / 1000, 0);
console.log(`${seconds.length} jobs on ${workers} workers: ${((last - began) / 1000).toFixed(1)} s`);
console.log(`jobs ${sum.toFixed(1)} s, beyond them ${(spent - sum).toFixed(1)} s: ${((100 * (spent - sum)) / sum).toFixed(1)} %`);
