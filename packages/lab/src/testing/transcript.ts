// Mistakes as a person makes them at the command line, and a transcript of what they are told, for file snapshots.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import { afterAll, beforeAll } from 'vitest';
import { main } from '../commands/main.ts';

const repository = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const before = process.cwd();

/** A source file of this repository, as an experiment may name it. */
export function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Plugins that are named in most cases. */
export const plugins = {
  toy: JSON.stringify(source('../testing/toy.ts')),
  tiny: JSON.stringify(source('../testing/tiny.ts')),
  faulty: JSON.stringify(source('../testing/faulty.ts')),
  cpu: JSON.stringify(source('../../../backends/cpu/src/index.ts')),
};

/** An experiment of two short runs that is right. */
export const walk = `plugins: [${plugins.toy}]
stages: [{ name: walk, steps: 4, checkpointEvery: 2 }]
seeds: [0, 1]
`;

/** A small training that is right. */
export const train = `plugins: [${plugins.tiny}, ${plugins.cpu}]
backend: cpu
data: { name: moons, train: 40, test: 20 }
model: { name: tiny, hidden: 4 }
train:
  optimizer: { name: adam, lr: 0.02 }
  batch: 10
  steps: 8
`;

/** Makes a temporary folder the working folder of the tests of a file. */
export function inTemporaryFolder(): void {
  let folder = '';
  beforeAll(() => {
    // In memory where there is such a folder: some tests sync thousands of times.
    folder = realpathSync(mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'athanor-')));
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
}

/** Writes files into the working folder. */
export function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** Runs one command line in this process. */
export async function athanor(...words: string[]): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const out: string[] = [];
  const error: string[] = [];
  const code = await main(words, { out: (text) => void out.push(text), error: (text) => void error.push(text), progress: { write: (text) => void (/failed|cannot|left out: .*damaged/.test(text) && error.push(text.trim())) } });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

/** What a person is told, case by case. */
export class Transcript {
  readonly #parts: string[] = [];
  readonly #problems: string[] = [];
  #innocent = true;

  /** Runs `athanor words…`, which must end with this exit code. */
  async command(what: string, words: readonly string[], code = 2): Promise<void> {
    const result = await athanor(...words);
    this.#innocent = code === 2;
    this.add(what, `$ athanor ${words.join(' ')}\n${result.error === '' ? result.out.trim() : result.error}`);
    if (result.code !== code) this.#problems.push(`${what}: exit code ${result.code}`);
  }

  /** Writes `file` and runs it. */
  async file(what: string, text: string | Uint8Array, words: readonly string[] = [], file = 'experiment.yaml'): Promise<void> {
    write({ [file]: text });
    await this.command(what, ['run', file, ...words]);
  }

  /** Calls a function of a library, which must throw. */
  async call(what: string, work: () => unknown): Promise<void> {
    const error: unknown = await Promise.resolve()
      .then(work)
      .then(() => undefined, (thrown: unknown) => thrown);
    this.add(what, error instanceof Error ? `${error.name}: ${error.message}` : 'no error');
    if (!(error instanceof UserError)) this.#problems.push(`${what}: not a UserError`);
  }

  /** Adds a message that came another way. */
  add(what: string, text: string): void {
    const shown = scrubbed(text);
    if (/^\s+at |\[object |\bundefined\b(?! \(reading)/m.test(shown) || (this.#innocent && /internal error/.test(shown))) this.#problems.push(`${what}: ${shown}`);
    this.#parts.push(`# ${what}\n${shown.trimEnd()}\n`);
  }

  /** All that was told. */
  get text(): string {
    return this.#parts.join('\n');
  }

  /** How many mistakes were made, and what was wrong with the answers: a stack, another exit code, blame on the program. */
  get summary(): { readonly told: number; readonly problems: readonly string[] } {
    return { told: this.#parts.length, problems: this.#problems };
  }
}

/** Without what differs from machine to machine and from run to run. */
export function scrubbed(text: string): string {
  return text
    .replaceAll(process.cwd(), '<folder>')
    .replaceAll(repository, '<repository>')
    // Long lists grow with every feature.
    .replaceAll(/kinds: .*/g, 'kinds: …')
    .replaceAll(/known keys: (?:[\w-]+, ){6,}[\w-]+\)/g, 'known keys: …)')
    .replaceAll(/-[0-9a-f]{8}\b/g, '-<hash>')
    .replaceAll(new RegExp(`(process |unfinished-)${process.pid}\\b`, 'g'), '$1<pid>');
}
