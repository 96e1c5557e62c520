// Where a run ran: all that may explain a difference between two runs.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The backend's part of the environment. */
export interface Engine {
  readonly backend: string;
  readonly threads: number;
  /** What can change bits: a run is gone on with only under the same tag. */
  readonly numerics: string;
}

export interface Environment extends Partial<Engine> {
  /** When this attempt began, ISO 8601. */
  readonly started: string;
  readonly command: string;
  /** Commit of the experiment's repository; `dirty` when files differ from it: how, is kept as a patch in the study's folder. */
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  readonly packages: Readonly<Record<string, string>>;
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  /** Set when this is where a stage was computed that the run has taken over from another. */
  readonly takenOver?: { readonly stage: string; readonly from: string };
}

/** The words that this process was started with. */
export function ownCommand(): string {
  return ['athanor', ...process.argv.slice(2)].join(' ');
}

/** Describes this process, the machine, and the repository that holds `file`; `command` is what a person has typed. */
export function describeEnvironment(file: string, packages: Readonly<Record<string, string>>, command = ownCommand()): Environment {
  return {
    started: new Date().toISOString(),
    command,
    git: gitState(dirname(file)),
    packages: { '@athanor/lab': labVersion(), ...packages },
    node: process.version,
    v8: process.versions.v8,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
  };
}

function labVersion(): string {
  const file = fileURLToPath(new URL('../../package.json', import.meta.url));
  return String((JSON.parse(readFileSync(file, 'utf8')) as { version: unknown }).version);
}

function gitState(folder: string): Environment['git'] {
  if (!insideRepository(folder)) return null;
  try {
    return { commit: git(folder, 'rev-parse', 'HEAD').trim(), dirty: git(folder, 'status', '--porcelain', '--untracked-files=no') !== '' };
  } catch {
    return null;
  }
}

/** How the files of the repository that holds `file` differ from its commit, as a patch; undefined if they do not, or if git cannot tell. */
export function uncommittedChanges(file: string): string | undefined {
  const folder = dirname(file);
  if (!insideRepository(folder)) return undefined;
  try {
    const patch = git(folder, 'diff', '--binary', 'HEAD');
    return patch === '' ? undefined : patch;
  } catch {
    return undefined;
  }
}

function git(folder: string, ...words: string[]): string {
  return execFileSync('git', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000, maxBuffer: 2 ** 26 });
}

/** Asked before git is: starting a process takes longer. */
function insideRepository(folder: string): boolean {
  return existsSync(join(folder, '.git')) || (folder !== dirname(folder) && insideRepository(dirname(folder)));
}
