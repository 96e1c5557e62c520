// Kills an experiment with SIGKILL, goes on, and compares the outcome with an unbroken run, bit for bit.
//
//   npm run build && node packages/lab/scripts/kill.mjs experiments/quickstart.yaml [--moments 20] [--operations 60] [key=value …]
//
// First at random moments, then at checkpoint file operations: the 1st, 2nd, … of each attempt in turn.
//
// With --executor pool, bullmq or slurm it is the processes that do the jobs which are killed, at random moments, and with
// bullmq in turn the workers that started them. Redis must listen at --queue; SLURM_CONF must name a cluster of this machine.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    moments: { type: 'string', default: '20' },
    operations: { type: 'string', default: '60' },
    executor: { type: 'string', default: 'inline' },
    queue: { type: 'string', default: 'redis://127.0.0.1:6379' },
  },
});
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const killer = new URL('./kill-at.mjs', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'athanor-kill-'));
/** Operations that one checkpoint takes; going a little beyond reaches the next one. */
const operationsPerCheckpoint = 16;

/** Runs until the end or the kill; returns the signal, or nothing when it came to its end. */
function run(root, { wait, operation } = {}) {
  const words = [...(operation === undefined ? [] : ['--import', killer]), cli, 'run', ...positionals, '--executor=inline', '--runs', root];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, KILL_AT: String(operation) } });
  let told = '';
  child.stderr.on('data', (text) => (told = (told + text).slice(-2000)));
  if (wait !== undefined) setTimeout(() => child.kill('SIGKILL'), wait);
  return new Promise((resolve, reject) => {
    child.on('exit', (code, signal) => {
      if (signal === null && code !== 0) reject(new Error(`the run failed:\n${told}`));
      else resolve(signal);
    });
  });
}

/** File → sha256 of all that must not depend on interruptions. */
function outcome(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name))).sort();
  const kept = paths.filter((path) => !/(^|\/)(timing-\d+\.arrow|environment\.json|study\.json|report\.html|job\.log|why\.json|stage\.json|slurm\/.*|\.stages\/.*)$/.test(path));
  return kept.map((path) => `${path} ${createHash('sha256').update(readFileSync(join(root, path))).digest('hex')}`);
}

async function campaign(name, kills, choose) {
  const root = join(folder, name);
  let done = 0;
  let restarts = 0;
  for (let attempt = 0; done < kills; attempt++) {
    const signal = await run(root, choose(attempt));
    if (signal === 'SIGKILL') done++;
    else {
      check(name, root);
      rmSync(root, { recursive: true });
      restarts++;
    }
  }
  await run(root);
  check(name, root);
  console.log(`${name}: ${done} kills over ${restarts + 1} whole runs, every outcome bit-identical`);
}

/** Kills processes that hold a run, until `kills` have been, while the study goes on. */
async function killWorkers(executor, kills) {
  const root = join(folder, executor);
  const queue = executor === 'bullmq' ? ['--queue', values.queue] : [];
  const startWorker = () => spawn(process.execPath, [cli, 'worker', ...queue, '--workers', '1', '--lease', '2', '--runs', root], { stdio: 'ignore' });
  const workers = executor === 'bullmq' ? [startWorker(), startWorker()] : [];
  const count = { processes: 0, workers: 0, runs: 0, again: 0 };
  let open = true;
  while (open || count.processes + count.workers < kills) {
    open = true;
    const child = spawn(process.execPath, [cli, 'run', ...positionals, '--executor', executor, ...queue, '--runs', root], { stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    child.stderr.on('data', (text) => (told = (told + text).slice(-2000)));
    let code;
    const ended = new Promise((resolve) => child.on('exit', (result) => resolve((code = result))));
    while (code === undefined && count.processes + count.workers < kills) {
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 2500))]);
      if (code !== undefined) break;
      const turn = count.processes + count.workers;
      if (workers.length > 0 && turn % 3 === 2) {
        workers[turn % 2].kill('SIGKILL');
        workers[turn % 2] = startWorker();
        count.workers++;
      } else if (killHolder(root)) count.processes++;
    }
    await ended;
    // A job that was killed too often at one place is told as failed; the same command goes on with it.
    if (code !== 0) {
      if (!/times without coming further/.test(told)) throw new Error(`the run failed:\n${told}`);
      count.again++;
      continue;
    }
    check(executor, root);
    rmSync(root, { recursive: true });
    count.runs++;
    open = false;
  }
  for (const worker of workers) worker.kill('SIGKILL');
  const parents = count.workers > 0 ? ` and ${count.workers} of workers` : '';
  console.log(`${executor}: ${count.processes} kills of processes${parents} over ${count.runs} whole runs (${count.again} gone on with by hand), every outcome bit-identical`);
}

/** Kills a process that holds a run's lock; false if none does. */
function killHolder(root) {
  let names;
  try {
    names = readdirSync(root, { recursive: true });
  } catch {
    return false;
  }
  const locks = names.filter((name) => /^[^/]+\/[^/.]+[^/]*\/lock$/.test(name));
  for (const lock of locks.toSorted(() => Math.random() - 0.5)) {
    try {
      process.kill(JSON.parse(readFileSync(join(root, lock), 'utf8')).pid, 'SIGKILL');
      return true;
    } catch {
      // The lock or its holder is gone by now.
    }
  }
  return false;
}

function check(name, root) {
  const got = outcome(root);
  const wrong = got.filter((line, index) => line !== expected[index]);
  if (wrong.length > 0 || got.length !== expected.length) {
    console.error(`${name}: differs from the unbroken run (kept in ${folder}):\n${wrong.join('\n') || 'another number of files'}`);
    process.exit(1);
  }
}

const began = performance.now();
await run(join(folder, 'unbroken'));
const duration = performance.now() - began;
const expected = outcome(join(folder, 'unbroken'));
console.log(`unbroken: ${(duration / 1000).toFixed(1)} s, ${expected.length} files`);
if (values.executor !== 'inline') await killWorkers(values.executor, Number(values.moments));
else {
  await campaign('random moments', Number(values.moments), () => ({ wait: 300 + Math.random() * Math.min(duration, 20_000) * 0.7 }));
  await campaign('checkpoint operations', Number(values.operations), (attempt) => ({ operation: 1 + (attempt % operationsPerCheckpoint) }));
}
rmSync(folder, { recursive: true });
