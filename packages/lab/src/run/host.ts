// What a process keeps between the jobs that it runs: plugins, backends, and the description of the machine.
import { dirname } from 'node:path';
import { UserError } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import type { Registry } from '@athanor/core/plugin';
import { openRegistry } from '../plugins/open.ts';
import { pluginCode } from './stage-state.ts';
import type { PluginCode, StageContext } from './stage-state.ts';
import { describeEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { FolderInUse, lockFolder } from './lock.ts';
import { openRecord } from './study.ts';
import type { Run } from './study.ts';

export interface HostOptions {
  /** Components of all jobs; by default, the plugins that each job's study names are loaded. */
  readonly registry?: Registry;
  /** Versions of the packages that compute, for the record. */
  readonly packages: Readonly<Record<string, string>>;
  /** Folder of large data sets. */
  readonly dataDir?: string | undefined;
  /** Whether this process is the lab's alone: backends may then set flags of the JavaScript engine. */
  readonly ownsProcess?: boolean;
  /** How many threads a backend may take when its config does not say. */
  readonly threads?: number | undefined;
  /** What a person has typed to have this done, if it was not this process; for the record. */
  readonly command?: string | undefined;
  /** How many bytes of memory this process may hold while it runs a job. */
  readonly memory?: number | undefined;
  /** Seconds to wait for a run that another process still holds, as one does whose parent has just been ended (default: 10). */
  readonly patience?: number | undefined;
}

// Milliseconds.
const breatheEvery = 50;
const lockTriedEvery = 250;

export class JobHost {
  readonly dataDir: string | undefined;
  readonly #options: HostOptions;
  readonly #registries = new Map<string, Promise<Registry>>();
  readonly #backends = new Map<string, Backend>();
  readonly #code = new Map<string, Promise<PluginCode>>();
  readonly #environments = new Map<string, Environment>();
  #breathed = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.dataDir = options.dataDir;
  }

  /** What a host of the same jobs in another process is made with. */
  get elsewhere(): Omit<HostOptions, 'registry'> {
    const { registry: _, ...options } = this.#options;
    return options;
  }

  /** Takes the lock of a run and returns the function that gives it back. */
  async lock(run: Run): Promise<() => void> {
    const until = performance.now() + 1000 * (this.#options.patience ?? 10);
    for (;;) {
      try {
        return lockFolder(run.folder);
      } catch (error) {
        if (!(error instanceof FolderInUse) || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, lockTriedEvery));
      }
    }
  }

  /** The components that a run's config may name. */
  registry(run: Run): Promise<Registry> {
    if (this.#options.registry !== undefined) return Promise.resolve(this.#options.registry);
    const { record } = openRecord(run.folder);
    const backend = run.config.backend;
    const key = JSON.stringify([record.file, record.plugins, backend]);
    const opened = this.#registries.get(key) ?? openRegistry(record, backend === undefined ? [] : [backend]);
    this.#registries.set(key, opened);
    return opened;
  }

  /** What the keys of a run's stages are made from. */
  async stageContext(run: Run): Promise<StageContext> {
    const study = dirname(run.folder);
    const code = this.#code.get(study) ?? pluginCode(openRecord(study).record);
    this.#code.set(study, code);
    return { registry: await this.registry(run), packages: this.#options.packages, code: await code, dataDir: this.dataDir };
  }

  /** The backend that a run names; undefined if it names none. */
  async backend(run: Run): Promise<Backend | undefined> {
    const { backend: ref } = run.config;
    if (ref === undefined) return undefined;
    const key = JSON.stringify(ref);
    const { ownsProcess, threads } = this.#options;
    const backend = this.#backends.get(key) ?? (await (await this.registry(run)).make('backend', ref, { ownsProcess, threads }));
    this.#backends.set(key, backend);
    return backend;
  }

  /** Where this attempt at a run takes place. */
  environment(run: Run): Environment {
    const study = dirname(run.folder);
    const known = this.#environments.get(study) ?? describeEnvironment(openRecord(study).record.file, this.#options.packages, this.#options.command);
    this.#environments.set(study, known);
    return { ...known, started: new Date().toISOString() };
  }

  /**
   * Called between steps: now and then lets signals and messages through, which steps that never
   * wait would keep out. Throws a UserError when the process holds more memory than a job may take.
   */
  async breathe(): Promise<void> {
    const now = performance.now();
    if (now - this.#breathed < breatheEvery) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#breathed = performance.now();
    const { memory = Infinity } = this.#options;
    const held = process.memoryUsage.rss();
    if (held <= memory) return;
    throw new UserError(`the job takes ${gibibytes(held)}, and may take ${gibibytes(memory)}`, {
      remedy: 'allow more with --memory, or make the batch or the model smaller: it goes on from its last checkpoint',
    });
  }

  /** Frees all backends. */
  async dispose(): Promise<void> {
    for (const backend of this.#backends.values()) await backend.dispose();
    this.#backends.clear();
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
