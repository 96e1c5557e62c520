// Kills an experiment with SIGKILL, goes on, and compares the outcome with an unbroken run, bit for bit.
//
//   npm run build && node packages/lab/scripts/kill.mjs experiments/quickstart.yaml [--moments 20] [--operations 60] [key=value …]
//
// First at random moments, then at checkpoint file operations: the 1st, 2nd, … of each attempt in turn.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { moments: { type: 'string', default: '20' }, operations: { type: 'string', default: '60' } },
});
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const killer = new URL('./kill-at.mjs', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'athanor-kill-'));
/** Operations that one checkpoint takes; going a little beyond reaches the next one. */
const operationsPerCheckpoint = 16;

/** Runs until the end or the kill; returns the signal, or nothing when it came to its end. */
function run(root, { wait, operation } = {}) {
  const words = [...(operation === undefined ? [] : ['--import', killer]), cli, 'run', ...positionals, '--runs', root];
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
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  const kept = paths.filter((path) => !/(timing-\d+\.arrow|environment\.json|study\.json|report\.html|job\.log|why\.json|stage\.json|slurm\/.*|\.stages\/.*)$/.test(path));
  return kept.map((path) => `${relative(root, path)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
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
await campaign('random moments', Number(values.moments), () => ({ wait: 300 + Math.random() * Math.min(duration, 20_000) * 0.7 }));
await campaign('checkpoint operations', Number(values.operations), (attempt) => ({ operation: 1 + (attempt % operationsPerCheckpoint) }));
rmSync(folder, { recursive: true });
