// Jobs in processes: the same bits as in this one, whatever is killed, and no process that outlives its parent.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { ownCommand } from '../run/environment.ts';
import { readEnvironments } from '../run/results.ts';
import { createStudy } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { identity } from '../testing/identity.ts';
import type { JobEvent } from './executor.ts';
import { inlineExecutor } from './inline.ts';
import { logFile } from './job-process.ts';
import { poolExecutor, shares } from './pool.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const execArgv = ['--conditions=@athanor/source', '--import', source('../testing/source.mjs')];
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-pool-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Two runs under `runs`; the second one fails in its step `failAt`. */
async function study(runs: string, { wait = 1, failAt = 1000 } = {}): Promise<Study> {
  const file = join(folder, 'walk.yaml');
  const stage = `{ name: walk, steps: 30, checkpointEvery: 5, wait: ${wait}, failAt: "\${at}" }`;
  writeFileSync(file, `plugins: [${JSON.stringify(source('../testing/toy.ts'))}]\nstages: [${stage}]\nsweep: { grid: { at: [999, ${failAt}] } }\n`);
  return createStudy(await loadExperiment(file, { builtin: builtinPlugins }), join(folder, runs));
}

const folders = ({ runs }: Study) => runs.map((run) => run.folder);
const holder = (run: string) => (JSON.parse(readFileSync(join(run, 'lock'), 'utf8')) as { pid: number }).pid;

describe('poolExecutor', { timeout: 300_000 }, () => {
  it('gives the bits of one process, though processes are killed in mid-run', async () => {
    const whole = await study('whole');
    await inlineExecutor({ packages: {} }).run(folders(whole), () => undefined);
    const pooled = await study('pooled', { wait: 25 });
    let kills = 0;
    const events: JobEvent[] = [];
    const outcomes = await poolExecutor({ packages: {}, execArgv, workers: 2 }).run(folders(pooled), (run, event) => {
      events.push(event);
      // Checkpoints are written every 5 steps.
      if (event.kind !== 'step' || event.step < 8 * (kills + 1) || kills === 2) return;
      kills++;
      process.kill(holder(run), 'SIGKILL');
    });
    expect(outcomes).toEqual(folders(pooled).map((run) => ({ folder: run })));
    expect(kills).toBe(2);
    expect(events.filter(({ kind }) => kind === 'note')).toEqual(Array(2).fill({ kind: 'note', message: 'its process was ended by SIGKILL: another one goes on' }));
    expect(events.filter((event) => event.kind === 'stage' && event.from >= 5)).toHaveLength(2);
    const results = (study: Study) => Object.fromEntries(Object.entries(identity(study.folder)).filter(([file]) => file.includes('0-walk')));
    expect(Object.keys(results(whole))).toHaveLength(8);
    // The configs differ by how long a step waits.
    for (const file of Object.keys(results(whole)).filter((name) => !name.endsWith('stage.json'))) {
      expect([file, results(pooled)[file]]).toEqual([file, results(whole)[file]]);
    }
  });

  it('keeps the log of a failed job and does the others', async () => {
    const some = await study('some', { failAt: 12 });
    const [good = '', bad = ''] = folders(some);
    const outcomes = await poolExecutor({ packages: {}, execArgv, workers: 1 }).run([bad, good], () => undefined);
    expect(outcomes).toEqual([
      { folder: bad, failure: { message: expect.stringContaining('step 12 was told to fail') as string, user: false, log: logFile(bad) } },
      { folder: good },
    ]);
    expect(readFileSync(logFile(bad), 'utf8')).toMatch(/step 12 was told to fail\n {4}at /);
    expect(existsSync(logFile(good))).toBe(false);
    // What a person has typed, not what its processes were started with.
    const [environment] = some.runs.slice(1).flatMap(readEnvironments);
    expect(environment?.command).toBe(ownCommand());
  });

  it('gives up a job that kills every process', async () => {
    const some = await study('some', { wait: 10 });
    const [job = ''] = folders(some);
    const outcomes = await poolExecutor({ packages: {}, execArgv }).run([job], (run, event) => {
      if (event.kind === 'stage') process.kill(holder(run), 'SIGKILL');
    });
    expect(outcomes[0]?.failure?.message).toBe('its process was ended by SIGKILL, 3 times without coming further');
  });

  it('ends a job that takes more memory than it may', async () => {
    const some = await study('some', { wait: 60 });
    const [outcome] = await poolExecutor({ packages: {}, execArgv, memory: 2 ** 20 }).run(folders(some).slice(0, 1), () => undefined);
    expect(outcome?.failure?.user).toBe(true);
    expect(outcome?.failure?.message.replace(/\d+\.\d GiB/, 'SIZE')).toMatchInlineSnapshot(
      `"the job takes SIZE, and may take 0.0 GiB — allow more with --memory, or make the batch or the model smaller: it goes on from its last checkpoint"`,
    );
  });

  it('leaves no process behind when the parent is killed', async () => {
    await study('unused', { wait: 200 });
    const parent = spawn(process.execPath, [...execArgv, source('../cli.ts'), 'run', 'walk.yaml', '--workers=2'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    parent.stderr.on('data', (text: Buffer) => { said += text.toString(); });
    await until(() => (said.match(/walk {2}1\/30/g)?.length ?? 0) === 2, () => said);
    const { folder: root } = await study('runs', { wait: 200 });
    const children = ['at-1000.seed-0', 'at-999.seed-0'].map((run) => holder(join(root, run)));
    expect(new Set([...children, parent.pid]).size).toBe(3);
    parent.kill('SIGKILL');
    await until(() => !children.some(isAlive), () => `${children.join(', ')} live on`);
  });
});

describe('shares', () => {
  const cores = availableParallelism();

  it('gives each job its part of the cores', () => {
    expect(shares({}, 100)).toEqual({ workers: cores, threads: 1 });
    expect(shares({}, 1)).toEqual({ workers: 1, threads: cores });
    expect(shares({ workers: 3 * cores }, 100)).toEqual({ workers: 3 * cores, threads: 1 });
    expect(shares({ threads: cores }, 100)).toEqual({ workers: 1, threads: cores });
  });

  it('runs no more at once than fit into memory', () => {
    expect(shares({ memory: totalmem() * 0.9 }, 100)).toEqual({ workers: 1, threads: cores });
    expect(shares({ memory: totalmem() * 2 }, 100).workers).toBe(1);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, explain: () => string): Promise<void> {
  const end = performance.now() + 200_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(explain());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
