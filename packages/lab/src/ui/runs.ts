// The runs folder as it is now: found newest first in small slices of time, and looked at again as it changes.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { JobConfig } from '../config/load.ts';
import { stagesOf } from '../report/curves.ts';
import type { StageFolder } from '../report/curves.ts';
import { readResult } from '../run/results.ts';
import { runStatus } from '../run/study.ts';
import type { Run, RunStatus, StudyRecord } from '../run/study.ts';
import { formatValues } from '../terminal/format.ts';
import { SeriesStore } from './series.ts';

/** A run as the table shows it. */
export interface RunRow {
  readonly id: number;
  /** Names of the study's and the run's folders. */
  readonly study: string;
  readonly name: string;
  /** `norm=batch`. */
  readonly variant: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** The last step that was logged; only of runs that are not done. */
  readonly step: number;
  /** When the study was begun, ISO 8601. */
  readonly begun: string;
  /** Final numbers. */
  readonly numbers: Readonly<Record<string, number | null>>;
}

interface Known {
  row: RunRow;
  version: number;
  /** When the last stage's result was written; 0 while there is none. */
  result: number;
  readonly run: Run;
  readonly stages: readonly StageFolder[];
}

/** Milliseconds of work between two breaths, so that requests are answered meanwhile. */
const slice = 8;

/** Looks at a runs folder; changes nothing in it. */
export class RunsFolder {
  readonly root: string;
  readonly series = new SeriesStore();
  readonly #known = new Map<number, Known>();
  /** Study folder → ids of its runs, or what is wrong with it. */
  readonly #studies = new Map<string, readonly number[] | string>();
  readonly #gone: { readonly id: number; readonly version: number }[] = [];
  #version = 0;
  #nextId = 1;
  #scanning: Promise<void> | undefined;
  #breath = 0;

  constructor(root: string) {
    this.root = root;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** Whether everything has been looked at at least once. */
  complete = false;

  /** Rows that have changed after a version, and runs that are gone since. */
  changes(since: number): { readonly version: number; readonly complete: boolean; readonly rows: RunRow[]; readonly gone: number[]; readonly unreadable: string[] } {
    return {
      version: this.#version,
      complete: this.complete,
      rows: [...this.#known.values()].filter(({ version }) => version > since).map(({ row }) => row),
      gone: this.#gone.filter(({ version }) => version > since).map(({ id }) => id),
      unreadable: [...this.#studies].flatMap(([name, state]) => (typeof state === 'string' ? [`${name}: ${state}`] : [])),
    };
  }

  /** The run of this number. */
  find(id: number): { readonly row: RunRow; readonly run: Run; readonly stages: readonly StageFolder[] } | undefined {
    return this.#known.get(id);
  }

  /** The folder of a study, and of one of its runs; only those that were found, whatever the names are. */
  locate(study: string, run?: string): { readonly folder: string; readonly run: Run | undefined } | undefined {
    const ids = this.#studies.get(study);
    if (ids === undefined || typeof ids === 'string') return undefined;
    const found = run === undefined ? undefined : ids.map((id) => this.#known.get(id)?.run).find((one) => one?.name === run);
    return run !== undefined && found === undefined ? undefined : { folder: join(this.root, study), run: found };
  }

  /** Looks at everything that may have changed. Calls while one goes on wait for it. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  async #scan(): Promise<void> {
    this.#breath = performance.now();
    const names = new Set(foldersIn(this.root));
    for (const [name, ids] of this.#studies) if (!names.has(name)) this.#forget(name, ids);
    const fresh = [...names].filter((name) => !Array.isArray(this.#studies.get(name))).map((name) => ({ name, time: timeOf(join(this.root, name, 'study.json')) }));
    for (const { name, time } of fresh.toSorted((a, b) => b.time - a.time)) {
      if (time > 0) await this.#open(name);
    }
    this.complete = true;
    for (const known of this.#known.values()) {
      this.#refresh(known);
      await this.#breathe();
    }
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath < slice) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#breath = performance.now();
  }

  async #open(study: string): Promise<void> {
    const folder = join(this.root, study);
    try {
      const record = JSON.parse(readFileSync(join(folder, 'study.json'), 'utf8')) as StudyRecord;
      const ids: number[] = [];
      for (const { name, values } of record.jobs) {
        if (/^\.*$|[/\\]/.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a run`);
        const path = join(folder, name);
        const run = { name, values, folder: path, config: parse(readFileSync(join(path, 'config.yaml'), 'utf8')) as JobConfig };
        const row: RunRow = { id: this.#nextId++, study, name, variant: formatValues(values), seed: run.config.seed, status: 'waiting', step: 0, begun: record.created, numbers: {} };
        const known: Known = { row, version: ++this.#version, result: 0, run, stages: stagesOf(run) };
        this.#refresh(known);
        this.#known.set(row.id, known);
        ids.push(row.id);
        await this.#breathe();
      }
      this.#studies.set(study, ids);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#studies.get(study) !== reason) {
        this.#studies.set(study, reason);
        this.#version++;
      }
    }
  }

  #refresh(known: Known): void {
    const { row, run, stages } = known;
    const result = timeOf(join(stages.at(-1)?.folder ?? run.folder, 'result.json'));
    // A stage that must be computed again loses its result.
    if (row.status === 'done' && result === known.result) return;
    const written = result !== known.result;
    known.result = result;
    const status = runStatus(run);
    const begun = status === 'running' || status === 'interrupted';
    const step = begun ? this.series.open(row.id, stages).lastStep : 0;
    if (status === row.status && step === row.step && !written) return;
    const numbers = status === 'done' ? (Object.assign({}, ...stages.map(({ folder }) => readResult(folder)?.summary ?? {})) as RunRow['numbers']) : {};
    known.row = { ...row, status, step, numbers };
    known.version = ++this.#version;
  }

  #forget(study: string, ids: readonly number[] | string): void {
    this.#studies.delete(study);
    const version = ++this.#version;
    for (const id of typeof ids === 'string' ? [] : ids) {
      this.#known.delete(id);
      this.series.forget(id);
      this.#gone.push({ id, version });
    }
  }
}

function foldersIn(root: string): string[] {
  return existsSync(root) ? readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name) : [];
}

function timeOf(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
