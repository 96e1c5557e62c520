// First steps: how long a user waits for the first number, in processes of their own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Options } from '../options.ts';
import type { Case } from '../problem.ts';
import { median } from '../timing.ts';
import type { FirstStep, FirstStepTask } from './protocol.ts';

export interface FirstStepRow extends FirstStep {
  readonly workload: string;
  readonly case: string;
  readonly backend: string;
  readonly threads: number;
  /** Whether compiled code was in the cache. */
  readonly cache: 'empty' | 'filled';
  /** The median of the processes' totals; the other figures are those of the fastest one. */
  readonly medianTotal: number;
}

/** Processes that find a filled cache. */
const filledRuns = 5;
const program = fileURLToPath(new URL('../../dist/first-step/process.js', import.meta.url));
const patienceMilliseconds = 600_000;

/** Runs a process whose cache of compiled code is in a folder. */
function run(task: FirstStepTask, folder: string): FirstStep {
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [program, JSON.stringify(task)], {
    encoding: 'utf8',
    timeout: patienceMilliseconds,
    env: { ...process.env, XDG_CACHE_HOME: folder },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim() || `the process ended with ${signal ?? `code ${status}`}`);
  return JSON.parse(stdout) as FirstStep;
}

/** A case's rows: with an empty cache, then with what that left there. */
export function firstSteps({ workload, name }: Case, backend: string, { threads, engineFeatures }: Options): FirstStepRow[] {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-first-step-'));
  const task = { workload, name, backend, threads, engineFeatures };
  const rowOf = (cache: FirstStepRow['cache'], steps: readonly FirstStep[]): FirstStepRow => {
    const best = steps.reduce((least, step) => (step.total < least.total ? step : least));
    return { workload, case: name, backend, threads, cache, ...best, medianTotal: median(steps.map(({ total }) => total)) };
  };
  try {
    return [rowOf('empty', [run(task, folder)]), rowOf('filled', Array.from({ length: filledRuns }, () => run(task, folder)))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const columns: readonly (readonly [string, (row: FirstStepRow) => string])[] = [
  ['workload', ({ workload, case: name }) => `${workload} \`${name}\``],
  ['backend', ({ backend, threads }) => `${backend}, ${threads === 1 ? 'one thread' : `${threads} threads`}`],
  ['cache', ({ cache }) => cache],
  ['first step', ({ total }) => seconds(total)],
  ['median', ({ medianTotal }) => seconds(medianTotal)],
  ['trace', ({ trace }) => seconds(trace)],
  ['compile', ({ compile }) => seconds(compile)],
  ['run', ({ run: milliseconds }) => seconds(milliseconds)],
  ['later step', ({ later }) => seconds(later)],
  ['nodes', ({ nodes }) => String(nodes)],
  ['kernels', ({ kernels }) => String(kernels)],
  ['nodes/s scheduled', ({ nodes, schedule }) => String(Math.round((1000 * nodes) / schedule))],
  ['again', ({ nodes, scheduleAgain }) => String(Math.round((1000 * nodes) / scheduleAgain))],
];

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toPrecision(milliseconds < 10 ? 1 : 2)} s`;
const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Head and lines of a Markdown table. */
export const firstStepHead = `${lineOf(columns.map(([name]) => name))}\n${lineOf(columns.map(() => '---'))}`;

export function firstStepLine(row: FirstStepRow): string {
  return lineOf(columns.map(([, cell]) => cell(row)));
}
