// Running a study's jobs one after the other: each stage in steps, with checkpoints, until all is done.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import type { Registry } from '@athanor/core/plugin';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { describeEnvironment } from './environment.ts';
import type { Engine, Environment } from './environment.ts';
import { makeFolder, remove, removeLeftovers, writeFileWhole } from './files.ts';
import { lockFolder } from './lock.ts';
import { MetricLog } from './metrics.ts';
import type { Stage, StageInput, StageResult, StepReport } from './stage.ts';
import { stageFolder } from './study.ts';
import type { Run, Study } from './study.ts';

/** Who is told what happens; the terminal's progress is one. */
export interface Observer {
  /** A run begins or goes on. */
  runStarted(run: Run, position: { readonly index: number; readonly of: number }): void;
  /** `from` steps are done already. */
  stageStarted(name: string, position: { readonly from: number; readonly steps: number }): void;
  /** A step has been computed. */
  stepDone(step: number, report: StepReport): void;
  /** A run has its result. */
  runDone(run: Run): void;
  /** Something that a person should know, and that stops nothing. */
  note(message: string): void;
}

export interface RunOptions {
  readonly registry: Registry;
  readonly packages: Readonly<Record<string, string>>;
  readonly observer: Observer;
  readonly dataDir?: string | undefined;
  /** Whether this process is the lab's alone: backends may then set flags of the JavaScript engine. */
  readonly ownsProcess?: boolean;
}

/** What `result.json` of a stage holds. */
export interface StageRecord {
  readonly summary: StageResult['summary'];
  readonly steps: number;
  /** File name → sha256. */
  readonly artifacts: Readonly<Record<string, string>>;
}

/** Runs what is left of a study. A run that another process holds is a UserError. */
export async function runStudy(study: Study, options: RunOptions): Promise<void> {
  const { runs, folder } = study;
  const unlock = lockFolder(folder);
  const backends = new Map<string, Backend>();
  try {
    removeLeftovers(folder);
    const environment = describeEnvironment(study.record.file, options.packages);
    for (const [index, run] of runs.entries()) {
      options.observer.runStarted(run, { index, of: runs.length });
      await runJob(run, environment, options, backends);
      options.observer.runDone(run);
    }
  } finally {
    for (const backend of backends.values()) await backend.dispose();
    unlock();
  }
}

async function runJob(run: Run, environment: Environment, options: RunOptions, backends: Map<string, Backend>): Promise<void> {
  const { registry, observer, dataDir } = options;
  const unlock = lockFolder(run.folder);
  try {
    const inputs: StageInput[] = [];
    let backend: Backend | undefined;
    for (const [index, ref] of run.config.stages.entries()) {
      const folder = stageFolder(run, index);
      const name = typeof ref === 'string' ? ref : ref.name;
      if (readResult(folder) === undefined) {
        if (backend === undefined) {
          backend = await makeBackend(run, options, backends);
          recordEnvironment(run, { ...environment, ...engineOf(backend) }, observer);
        }
        const context = { seed: run.config.seed, backend, inputs, dataDir, notify: observer.note };
        const stage = await registry.make('stage', ref, context);
        try {
          await runStage(stage, { folder, name, observer });
        } finally {
          stage.dispose();
        }
      }
      remove(join(folder, 'checkpoints'));
      inputs.push({ name, folder, summary: readResult(folder)?.summary ?? {} });
    }
  } finally {
    unlock();
  }
}

/**
 * Runs a stage to its end, going on from its newest checkpoint. Whatever the process was doing
 * when it was killed, the log, the artifacts and the result come out bit for bit as without.
 */
async function runStage(stage: Stage, { folder, name, observer }: { folder: string; name: string; observer: Observer }): Promise<void> {
  makeFolder(folder);
  const checkpoints = join(folder, 'checkpoints');
  const { checkpoint, spoilt } = readCheckpoint(checkpoints);
  for (const bad of spoilt) {
    observer.note(`checkpoint ${bad} cannot be read and is left out`);
    remove(join(checkpoints, bad));
  }
  if (checkpoint !== undefined) await stage.restore(checkpoint.state);
  const first = checkpoint?.step ?? 0;
  observer.stageStarted(name, { from: first, steps: stage.steps });
  const metrics = new MetricLog(join(folder, 'metrics.arrow'), checkpoint?.logOffset ?? 0);
  const timing = new MetricLog(nextTiming(folder), 0);
  const began = performance.now();
  try {
    for (let step = first; step < stage.steps; step++) {
      const report = await stage.step(step);
      const done = step + 1;
      metrics.add((report.metrics ?? []).map((row) => ({ step: done, ...row })));
      if (report.metrics !== undefined) timing.add([{ step: done, metric: 'seconds', value: (performance.now() - began) / 1000 }]);
      observer.stepDone(done, report);
      if (done % stage.checkpointEvery === 0 || done === stage.steps) {
        const logOffset = metrics.flush();
        makeFolder(checkpoints);
        writeCheckpoint(checkpoints, { step: done, logOffset, state: await stage.state() });
      }
    }
  } finally {
    metrics.close();
    timing.close();
  }
  writeResult(folder, stage.steps, await stage.finish());
}

function writeResult(folder: string, steps: number, { summary, artifacts }: StageResult): void {
  const hashes: Record<string, string> = {};
  for (const [name, content] of artifacts) {
    writeFileWhole(join(folder, name), content);
    hashes[name] = createHash('sha256').update(content).digest('hex');
  }
  const record: StageRecord = { summary, steps, artifacts: hashes };
  writeFileWhole(join(folder, 'result.json'), `${JSON.stringify(record, null, 2)}\n`);
}

/** A finished stage's result; undefined while it is not finished. */
export function readResult(folder: string): StageRecord | undefined {
  const path = join(folder, 'result.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StageRecord) : undefined;
}

/** The environments in which a run was worked on, the first attempt first. */
export function readEnvironments(run: Run): Environment[] {
  const path = join(run.folder, 'environment.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Environment[]) : [];
}

/**
 * Adds this attempt's environment. Throws a UserError if bits could differ from the earlier
 * attempts'; other code or packages are only told, since most changes do not touch a run.
 */
function recordEnvironment(run: Run, environment: Environment, observer: Observer): void {
  const earlier = readEnvironments(run);
  const other = earlier.find(({ numerics }) => numerics !== environment.numerics);
  if (other !== undefined) {
    throw new UserError(`${run.folder} was begun with numerics ${String(other.numerics)}, this process has ${String(environment.numerics)}`, {
      remedy: 'the results would not be those of an unbroken run: go on where it was begun, or start anew with --fresh',
    });
  }
  const code = ({ git, packages }: Environment) => JSON.stringify([git?.commit, packages]);
  const changed = earlier.find((attempt) => code(attempt) !== code(environment));
  if (changed !== undefined) {
    const commit = changed.git === null ? '' : ` (commit ${changed.git.commit.slice(0, 8)})`;
    observer.note(`${run.name} was begun with other code${commit}: if the change touches what it computes, the outcome is not that of an unbroken run`);
  }
  writeFileWhole(join(run.folder, 'environment.json'), `${JSON.stringify([...earlier, environment], null, 2)}\n`);
}

async function makeBackend(run: Run, { registry, ownsProcess }: RunOptions, backends: Map<string, Backend>): Promise<Backend | undefined> {
  const { backend: ref } = run.config;
  if (ref === undefined) return undefined;
  const key = JSON.stringify(ref);
  const backend = backends.get(key) ?? (await registry.make('backend', ref, { ownsProcess }));
  backends.set(key, backend);
  return backend;
}

function engineOf(backend: Backend | undefined): Engine | undefined {
  return backend === undefined ? undefined : { backend: backend.name, threads: backend.threads, numerics: backend.numerics };
}

/** Each attempt keeps its times in a file of its own: they are not part of the run's identity. */
function nextTiming(folder: string): string {
  const attempts = readdirSync(folder).filter((name) => /^timing-\d+\.arrow$/.test(name)).length;
  return join(folder, `timing-${attempts + 1}.arrow`);
}
