// One job: a run's stages in order, each in steps with checkpoints, gone on with wherever it was stopped.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import { didYouMean } from '@athanor/core/plugin';
import type { Engine, Environment } from './environment.ts';
import { makeFolder, remove, removeLeftovers, writeFileWhole } from './files.ts';
import { guardStage } from './guard.ts';
import { JobHost } from './host.ts';
import type { HostOptions } from './host.ts';
import type { Observer } from './observer.ts';
import { readEnvironments, readResult } from './results.ts';
import { allowedRung } from './rung.ts';
import { runStage } from './run-stage.ts';
import type { StagePlace } from './run-stage.ts';
import type { Stage, StageInput } from './stage.ts';
import { announceStage, claimStage, findStage, stageWords, takeOver } from './stage-cache.ts';
import { changesBetween, describeChange, stageKey } from './stage-key.ts';
import { replicatedStage } from '../replicas/stage.ts';
import type { StageParts } from './stage-key.ts';
import { readReason, readStageRecord, writeReason, writeStageRecord } from './stage-record.ts';
import { inputHashes, reasonFor, stageCode, stageFiles } from './stage-state.ts';
import { openRecord, openRun, stageFolder, stageNames, stageNeeds } from './study.ts';
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
    const registry = await host.registry(run);
    const { record } = openRecord(run.folder);
    let backend: Backend | undefined;
    let recorded = false;
    for (const [index, ref] of run.config.stages.entries()) {
      const folder = stageFolder(run, index);
      const name = stageNames(run)[index] ?? '';
      dropIfInputsChanged(run, index, observer);
      if (readResult(folder) === undefined) {
        backend ??= await host.backend(run);
        const stageContext = await host.stageContext(run);
        const parts: StageParts = {
          config: ref,
          seed: run.config.seed,
          numerics: backend?.numerics ?? null,
          code: stageCode(ref, stageContext),
          files: stageFiles(ref, stageContext),
          inputs: inputHashes(run, index) ?? {},
        };
        const begin = async () => {
          const notify = (message: string): void => observer.note(message);
          const replicate = (size: number): Promise<Stage> => replicatedStage({ folder: run.folder, stage: index, size, host: host.elsewhere, notify });
          if (!recorded) recordEnvironment(run, { ...host.environment(run), ...engineOf(backend) }, observer);
          recorded = true;
          const context = { seed: run.config.seed, backend, inputs: stageInputs(run, index), dataDir: host.dataDir, notify, replicate };
          return guardStage(() => registry.make('stage', ref, context), ref, registry);
        };
        const rung = index === run.config.stages.length - 1 ? allowedRung(run.folder) : undefined;
        await computeOrTakeOver(begin, parts, { host, run, folder, name, observer, rung, fresh: record.fresh === true });
        if (readResult(folder) === undefined) return;
      }
      remove(join(folder, 'checkpoints'));
    }
  } finally {
    unlock();
  }
}

/** A finished stage whose inputs have come out differently since is no longer finished. */
function dropIfInputsChanged(run: Run, index: number, observer: Observer): void {
  const folder = stageFolder(run, index);
  const before = readStageRecord(folder)?.parts;
  if (before === undefined || readResult(folder) === undefined) return;
  const changes = changesBetween(before, { ...before, inputs: inputHashes(run, index) ?? {} }).map(describeChange);
  if (changes.length > 0) runAgain(run, index, changes, observer);
}

/** Takes a stage's outcome away, so that it runs again, and leaves word why. */
export function runAgain(run: Run, index: number, changes: readonly string[], observer?: Observer): void {
  const folder = stageFolder(run, index);
  observer?.note(`${stageNames(run)[index] ?? ''} runs again: ${changes.join('; ')}`);
  remove(folder);
  makeFolder(folder);
  writeReason(folder, { what: 'ran', changes });
}

/** Takes a stage's outcome from where it was computed already, or computes it. */
async function computeOrTakeOver(begin: () => Promise<Stage>, parts: StageParts, place: StagePlace & { readonly fresh: boolean }): Promise<void> {
  const { run, folder, name, observer, fresh } = place;
  const study = dirname(run.folder);
  const key = stageKey(parts);
  const release = await claimStage(key, study, () => observer.note(`${name} waits: another run computes the same`));
  try {
    const from = findStage(key, study, { fresh });
    if (from !== undefined && from !== folder) {
      takeOver(from, folder);
      writeReason(folder, { what: 'reused', other: stageWords(from), changes: [] });
      adoptEnvironments(run, openRun(dirname(from)), name);
      observer.note(`${name}: taken from ${stageWords(from)}, which has computed the same`);
      return;
    }
    makeFolder(folder);
    const begun = existsSync(join(folder, 'checkpoints'));
    // What is gone on with under other code is neither the old nor the new: nobody takes it over.
    const pure = !begun || readStageRecord(folder)?.key === key;
    if (pure) writeStageRecord(folder, parts);
    if (!begun && readReason(folder) === undefined) writeReason(folder, reasonFor(run, name, parts));
    const stage = await begin();
    try {
      await runStage(stage, place, () => {
        if (pure) announceStage(key, folder, study);
      });
    } finally {
      stage.dispose();
    }
  } finally {
    release();
  }
}

/** What the stages have left that the one at `index` needs. */
export function stageInputs(run: Run, index: number): StageInput[] {
  const names = stageNames(run);
  return stageNeeds(run, index).map((need) => inputOf(names[need] ?? '', stageFolder(run, need)));
}

function inputOf(name: string, folder: string): StageInput {
  const result = readResult(folder);
  return {
    name,
    folder,
    summary: result?.summary ?? {},
    artifact(artifact) {
      const names = Object.keys(result?.artifacts ?? {});
      if (names.includes(artifact)) return join(folder, artifact);
      throw new UserError(`the stage ${name} left no ${JSON.stringify(artifact)}${didYouMean(artifact, names)}`, { remedy: `it left ${names.join(', ') || 'nothing'}` });
    },
  };
}

/**
 * Adds this attempt's environment. Throws a UserError if bits could differ from the earlier
 * attempts'; other code or packages are only told, since most changes do not touch a run.
 */
function recordEnvironment(run: Run, environment: Environment, observer: Observer): void {
  const all = readEnvironments(run);
  const earlier = all.filter(({ takenOver }) => takenOver === undefined);
  const other = earlier.find(({ numerics }) => numerics !== environment.numerics);
  if (other !== undefined) {
    throw new UserError(`${run.folder} was begun with numerics ${other.numerics ?? 'none'}, this process has ${environment.numerics ?? 'none'}`, {
      remedy: 'the results would not be those of an unbroken run: go on where it was begun, or start anew with --fresh',
    });
  }
  const code = ({ git, packages }: Environment) => JSON.stringify([git?.commit, packages]);
  const changed = earlier.find((attempt) => code(attempt) !== code(environment));
  if (changed !== undefined) {
    const commit = changed.git === null ? '' : ` (commit ${changed.git.commit.slice(0, 8)})`;
    observer.note(`${run.name} was begun with other code${commit}: if the change touches what it computes, the outcome is not that of an unbroken run`);
  }
  writeFileWhole(join(run.folder, 'environment.json'), `${JSON.stringify([...all, environment], null, 2)}\n`);
}

/** What a run has taken over was computed in the environments of another. */
function adoptEnvironments(run: Run, from: Run, stage: string): void {
  const own = readEnvironments(run);
  const words = `${basename(dirname(from.folder))}/${from.name}`;
  const adopted = readEnvironments(from).map((environment) => ({ ...environment, takenOver: { stage, from: words } }));
  const known = new Set(own.map((environment) => JSON.stringify(environment)));
  const more = adopted.filter((environment) => !known.has(JSON.stringify(environment)));
  if (more.length > 0) writeFileWhole(join(run.folder, 'environment.json'), `${JSON.stringify([...own, ...more], null, 2)}\n`);
}

function engineOf(backend: Backend | undefined): Engine | undefined {
  return backend === undefined ? undefined : { backend: backend.name, threads: backend.threads, numerics: backend.numerics };
}
