// One job: a run's stages in order, each in steps with checkpoints, gone on with wherever it was stopped.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Engine, Environment } from './environment.ts';
import { makeFolder, remove, removeLeftovers, writeFileWhole } from './files.ts';
import { JobHost } from './host.ts';
import type { HostOptions } from './host.ts';
import { MetricLog } from './metrics.ts';
import type { Observer } from './observer.ts';
import { readEnvironments, readResult } from './results.ts';
import type { StageRecord } from './results.ts';
import type { Stage, StageInput, StageResult } from './stage.ts';
import { openRun, stageFolder } from './study.ts';
import type { Run } from './study.ts';

/** Runs one job to its end, from its folder alone. A run that another process holds is a UserError. */
export async function runJob(folder: string, options: HostOptions & { readonly observer: Observer }): Promise<void> {
  const host = new JobHost(options);
  try {
    await runJobOn(host, openRun(folder), options.observer);
  } finally {
    await host.dispose();
  }
}

/** The same in a process that runs several jobs, one after the other: plugins and backends are kept. */
export async function runJobOn(host: JobHost, run: Run, observer: Observer): Promise<void> {
  const unlock = await host.lock(run);
  try {
    removeLeftovers(run.folder);
    const inputs: StageInput[] = [];
    const registry = await host.registry(run);
    let backend: Backend | undefined;
    for (const [index, ref] of run.config.stages.entries()) {
      const folder = stageFolder(run, index);
      const name = typeof ref === 'string' ? ref : ref.name;
      if (readResult(folder) === undefined) {
        if (backend === undefined) {
          backend = await host.backend(run);
          recordEnvironment(run, { ...host.environment(run), ...engineOf(backend) }, observer);
        }
        const context = { seed: run.config.seed, backend, inputs, dataDir: host.dataDir, notify: (message: string) => observer.note(message) };
        const stage = await registry.make('stage', ref, context);
        try {
          await runStage(stage, { host, run, folder, name, observer });
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

interface StagePlace {
  readonly host: JobHost;
  readonly run: Run;
  readonly folder: string;
  readonly name: string;
  readonly observer: Observer;
}

/**
 * Runs a stage to its end, going on from its newest checkpoint. Whatever the process was doing
 * when it was killed, the log, the artifacts and the result come out bit for bit as without.
 */
async function runStage(stage: Stage, { host, run, folder, name, observer }: StagePlace): Promise<void> {
  makeFolder(folder);
  const checkpoints = join(folder, 'checkpoints');
  const { checkpoint, spoilt } = readCheckpoint(checkpoints);
  for (const bad of spoilt) {
    observer.note(`checkpoint ${bad} cannot be read and is left out`);
    remove(join(checkpoints, bad));
  }
  if (checkpoint !== undefined) await stage.restore(checkpoint.state);
  const first = checkpoint?.step ?? 0;
  observer.stageStarted(run, name, { from: first, steps: stage.steps });
  const metrics = new MetricLog(join(folder, 'metrics.arrow'), checkpoint?.logOffset ?? 0);
  const timing = new MetricLog(nextTiming(folder), 0);
  const began = performance.now();
  try {
    for (let step = first; step < stage.steps; step++) {
      const report = await stage.step(step);
      const done = step + 1;
      metrics.add((report.metrics ?? []).map((row) => ({ step: done, ...row })));
      if (report.metrics !== undefined) timing.add([{ step: done, metric: 'seconds', value: (performance.now() - began) / 1000 }]);
      observer.stepDone(run, done, report);
      if (done % stage.checkpointEvery === 0 || done === stage.steps) {
        const logOffset = metrics.flush();
        makeFolder(checkpoints);
        writeCheckpoint(checkpoints, { step: done, logOffset, state: await stage.state() });
      }
      await host.breathe();
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

function engineOf(backend: Backend | undefined): Engine | undefined {
  return backend === undefined ? undefined : { backend: backend.name, threads: backend.threads, numerics: backend.numerics };
}

/** Each attempt keeps its times in a file of its own: they are not part of the run's identity. */
function nextTiming(folder: string): string {
  const attempts = readdirSync(folder).filter((name) => /^timing-\d+\.arrow$/.test(name)).length;
  return join(folder, `timing-${attempts + 1}.arrow`);
}
