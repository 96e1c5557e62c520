// What tests of executors share: a folder with an experiment, the athanor command as a process, and waiting.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identity } from '../../packages/lab/src/testing/identity.ts';

const source = (path: string) => fileURLToPath(new URL(`../../packages/lab/src/${path}`, import.meta.url));
const words = ['--conditions=@athanor/source', '--import', source('testing/source.mjs'), source('cli.ts')];

/** Whether a test runs. Where programs are missing it is skipped, loudly, but never in CI. */
export function here(programs: readonly string[], debian: string): boolean {
  const missing = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program} || command -v /usr/sbin/${program}`]).status !== 0);
  if (missing.length === 0) return true;
  const told = `${missing.join(', ')} missing (Debian: apt-get install ${debian})`;
  if (process.env['CI'] === 'true') throw new Error(told);
  process.stderr.write(`SKIPPED: ${told}\n`);
  return false;
}

export interface PlaceOptions {
  readonly variants?: number;
  readonly steps?: number;
  /** Milliseconds a step. */
  readonly wait?: number;
  /** The variants differ by the step that fails, instead of by scale. */
  readonly failAt?: readonly number[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A folder with `walk.yaml`: runs of about two seconds each, two of each variant. */
export class Place {
  readonly folder: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #processes: Athanor[] = [];

  constructor({ variants = 2, steps = 40, wait = 50, failAt, environment = {} }: PlaceOptions = {}) {
    this.#environment = environment;
    this.folder = mkdtempSync(join(tmpdir(), 'athanor-cluster-'));
    const values = failAt ?? Array.from({ length: variants }, (_, index) => index + 1);
    const varied = failAt === undefined ? 'scale' : 'failAt';
    writeFileSync(join(this.folder, 'walk.yaml'), [
      `plugins: [${JSON.stringify(source('testing/toy.ts'))}]`,
      'seeds: [0, 1]',
      `stages: [{ name: walk, steps: ${steps}, checkpointEvery: 5, wait: ${wait}, ${varied}: "\${scale}" }]`,
      `sweep: { grid: { scale: [${values.join(', ')}] } }`,
      '',
    ].join('\n'));
    mkdirSync(join(this.folder, 'runs'));
  }

  /** Starts `athanor` with these words. */
  athanor(...command: string[]): Athanor {
    const started = new Athanor(command, this.folder, this.#environment);
    this.#processes.push(started);
    return started;
  }

  /** The folder of the one study under this folder of runs, once it is there. */
  async study(runs: string): Promise<string> {
    const found = () => readdirSync(join(this.folder, runs)).find((name) => existsSync(join(this.folder, runs, name, 'study.json')));
    await until(() => found() !== undefined, () => 'no study');
    return join(this.folder, runs, found() ?? '');
  }

  /** What a study under this folder of runs must be, however it was interrupted. */
  outcome(runs: string): Record<string, string> {
    const [study = ''] = readdirSync(join(this.folder, runs));
    // The lock of a study whose submitter was killed is taken over by the next.
    const { lock: _, ...rest } = identity(join(this.folder, runs, study));
    return rest;
  }

  /** Ends all that was started, and removes the folder. */
  async clear(): Promise<void> {
    for (const started of this.#processes) started.kill('SIGKILL');
    await Promise.all(this.#processes.map(({ ended }) => ended));
    rmSync(this.folder, { recursive: true });
  }
}

/** A process of the command line, with all that it has said. */
export class Athanor {
  said = '';
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;

  constructor(command: readonly string[], folder: string, environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [...words, ...command], { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (text: Buffer) => { this.said += text.toString(); });
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve(signal ?? code ?? 0));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it says something. */
  async says(pattern: RegExp): Promise<void> {
    await until(() => pattern.test(this.said), () => `waited for ${String(pattern)}, read:\n${this.said}`);
  }
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean, explain: () => string, seconds = 250): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(explain());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
