// The executor that submits jobs to Slurm as one array, with the report as a job that depends on it, and waits for them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import { makeFolder, writeFileWhole } from '../run/files.ts';
import { openRun, runStatus } from '../run/study.ts';
import type { Executor, JobOutcome, Tell } from './executor.ts';
import { lastLines } from './failures.ts';
import { logFile } from './job-process.ts';

export interface SlurmOptions {
  /** The study's folder, on a disk that the nodes share. */
  readonly study: string;
  /** Jobs of the array at once; by default, as many as the cluster has room for. */
  readonly workers?: number | undefined;
  readonly threads?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly dataDir?: string | undefined;
  /** Further words for sbatch. */
  readonly words: readonly string[];
  /** Seconds between two looks at the queue. */
  readonly every?: number;
}

/** What `slurm/submitted.json` in the study's folder holds: the array that was submitted last. */
interface Submitted {
  readonly array: string;
  /** Run names, in the order of the tasks. */
  readonly runs: readonly string[];
}

/** Runs jobs as an array of Slurm tasks, each requeued and gone on with when its node fails. */
export function slurmExecutor(options: SlurmOptions): Executor {
  return {
    name: 'slurm',
    async run(folders, tell) {
      if (folders.length === 0) return [];
      const active = activeArray(options.study);
      const missing = folders.filter((folder) => active?.runs.includes(basename(folder)) !== true);
      const watched: Submitted[] = active === undefined ? [] : [active];
      if (missing.length > 0) watched.push(submit(missing, options));
      else for (const folder of folders) tell(folder, { kind: 'note', message: `is in Slurm's array ${active?.array ?? ''} already` });
      return watch(folders, watched, tell, options.every ?? 2);
    },
  };
}

/** Writes the array's script, submits it, then the report that waits for it. */
function submit(folders: readonly string[], options: SlurmOptions): Submitted {
  const { study, workers, threads, memory, dataDir, words } = options;
  const folder = join(study, 'slurm');
  makeFolder(folder);
  // Tasks of an earlier array may still read their own list, so every submission has another.
  const list = join(folder, `runs-${Date.now()}-${process.pid}.txt`);
  const script = join(folder, 'array.sh');
  const report = join(folder, 'report.sh');
  const athanor = [process.execPath, ...process.execArgv, entry()].map(quoted).join(' ');
  const budget = [...(dataDir === undefined ? [] : ['--data-dir', resolve(dataDir)]), ...(memory === undefined ? [] : ['--memory', String(memory / 2 ** 30)])];
  writeFileWhole(list, `${folders.join('\n')}\n`);
  writeFileWhole(script, [
    '#!/bin/sh',
    '# One task of the array: the run on line SLURM_ARRAY_TASK_ID of the list. Requeued, it goes on from its checkpoint.',
    `run=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted(list)})`,
    'reached() { ls "$run"/*/checkpoints "$run"/*/result.json 2>/dev/null; }',
    '# Ended by a signal, as by one that frees memory, it is gone on with here; when the node is lost, Slurm requeues it.',
    'deaths=0',
    'while [ $deaths -lt 3 ]; do',
    '  before=$(reached)',
    `  ${athanor} worker --job "$run" --threads "\${SLURM_CPUS_PER_TASK:-1}" ${budget.map(quoted).join(' ')} >>"$run/job.log" 2>&1`,
    '  code=$?',
    '  [ $code -gt 128 ] || exit $code',
    '  [ "$(reached)" = "$before" ] && deaths=$((deaths + 1)) || deaths=1',
    'done',
    'echo "its process was ended by signal $((code - 128)), 3 times without coming further" >>"$run/job.log"',
    'exit $code',
    '',
  ].join('\n'));
  writeFileWhole(report, ['#!/bin/sh', `exec ${athanor} report ${quoted(study)}`, ''].join('\n'));
  const atOnce = workers === undefined ? '' : `%${workers}`;
  const array = sbatch([
    `--array=0-${folders.length - 1}${atOnce}`,
    `--job-name=${basename(study)}`,
    '--requeue',
    '--open-mode=append',
    `--output=${join(folder, 'task-%A_%a.log')}`,
    `--cpus-per-task=${threads ?? 1}`,
    ...(memory === undefined ? [] : [`--mem=${Math.ceil(memory / 2 ** 20)}M`]),
    ...words,
    script,
  ]);
  const submitted: Submitted = { array, runs: folders.map((run) => basename(run)) };
  writeFileWhole(join(folder, 'submitted.json'), `${JSON.stringify(submitted, null, 2)}\n`);
  sbatch([
    `--dependency=afterany:${array}`,
    `--job-name=${basename(study)}-report`,
    `--output=${join(folder, 'report.log')}`,
    ...words,
    report,
  ]);
  return submitted;
}

/** The command line's own file. */
function entry(): string {
  const here = fileURLToPath(import.meta.url);
  return resolve(here, '..', '..', `cli${extname(here)}`);
}

/** Submits a script and returns the job's number. */
function sbatch(words: readonly string[]): string {
  const answer = slurm('sbatch', ['--parsable', ...words]).trim();
  return answer.split(';')[0] ?? answer;
}

/** The array that was submitted last, if tasks of it wait or run. */
function activeArray(study: string): Submitted | undefined {
  const file = join(study, 'slurm', 'submitted.json');
  if (!existsSync(file)) return undefined;
  const submitted = JSON.parse(readFileSync(file, 'utf8')) as Submitted;
  return states(submitted.array).size > 0 ? submitted : undefined;
}

/** State of each task that the cluster still knows, by its index; those that have ended are left out. */
function states(array: string): Map<number, string> {
  const found = new Map<number, string>();
  // Slurm forgets a job minutes after its end, and then calls its number wrong.
  const lines = slurm('squeue', ['--noheader', '--array', `--jobs=${array}`, '--format=%K %T'], /Invalid job id/).split('\n');
  for (const line of lines) {
    const [index = '', state = ''] = line.trim().split(/\s+/);
    if (/^\d+$/.test(index) && !ended.has(state)) found.set(Number(index), state);
  }
  return found;
}

const ended = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT', 'OUT_OF_MEMORY', 'BOOT_FAIL', 'DEADLINE']);

/** Seconds without an answer from Slurm after which waiting is given up. */
const patience = 600;

/** Waits until no task is left, and tells what the run folders show. */
async function watch(folders: readonly string[], arrays: readonly Submitted[], tell: Tell, every: number): Promise<JobOutcome[]> {
  const outcomes = new Map<string, JobOutcome>();
  const started = new Set<string>();
  const begin = (folder: string) => {
    if (started.has(folder)) return;
    started.add(folder);
    tell(folder, { kind: 'started' });
  };
  let unanswered = 0;
  for (;;) {
    let open: ReadonlyMap<string, string> | undefined;
    try {
      open = new Map(arrays.flatMap(({ array, runs }) => [...states(array)].map(([index, state]) => [runs[index] ?? '', state] as const)));
      unanswered = 0;
    } catch (error) {
      // A controller that is being restarted does not answer for a while; the tasks go on.
      if (++unanswered * every > patience) throw error;
    }
    for (const folder of open === undefined ? [] : folders) {
      if (outcomes.has(folder)) continue;
      const state = open?.get(basename(folder));
      if (state === 'RUNNING') begin(folder);
      if (state !== undefined) continue;
      begin(folder);
      const done = ['done', 'stopped'].includes(runStatus(openRun(folder)));
      const message = lastLines(logFile(folder), 1)[0] ?? 'its task ended before it wrote anything: see the logs under slurm/';
      tell(folder, { kind: 'ended', failed: !done });
      outcomes.set(folder, { folder, ...(done ? {} : { failure: { message, user: false, log: logFile(folder) } }) });
    }
    if (outcomes.size === folders.length) return folders.map((folder) => outcomes.get(folder) ?? { folder });
    await new Promise((next) => setTimeout(next, every * 1000));
  }
}

/** Runs one of Slurm's programs and returns what it prints; empty if it complains of what `forgiven` matches. */
export function slurm(program: string, words: readonly string[], forgiven?: RegExp): string {
  const { error, status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (error !== undefined) {
    throw new UserError(`${program} cannot be started: this machine does not belong to a Slurm cluster`, {
      remedy: 'go to a machine that submits to one (Debian: apt-get install slurm-client), or take --executor=pool',
    });
  }
  if (status === 0) return stdout;
  if (forgiven?.test(stderr) === true) return '';
  throw new UserError(`${program} refuses: ${stderr.trim().split('\n').at(-1) ?? `code ${String(status)}`}`, {
    remedy: 'see what it says with the same words by hand; --sbatch=WORD adds words, such as --sbatch=--partition=long',
  });
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
