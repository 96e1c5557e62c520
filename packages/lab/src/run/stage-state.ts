// Where each stage of a run stands: done, to be taken over, to be run, or made by other code, and why.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { ComponentRef, Registry } from '@athanor/core/plugin';
import { codeVersions } from '../plugins/code.ts';
import type { CodeVersions } from '../plugins/code.ts';
import { loadPlugin } from '../plugins/load.ts';
import { sha256 } from './canonical.ts';
import { contentHash } from './content.ts';
import { readResult } from './results.ts';
import { findStage, stageWords } from './stage-cache.ts';
import { changesBetween, describeChange, filesOf, packagesOf, stageKey } from './stage-key.ts';
import type { StageParts } from './stage-key.ts';
import { readStageRecord } from './stage-record.ts';
import type { StageReason } from './stage-record.ts';
import { stageFolder, stageNames, stageNeeds } from './study.ts';
import type { Run, StudyRecord } from './study.ts';

/** Plugin's name → versions of the code that runs when it is loaded. */
export type PluginCode = ReadonlyMap<string, CodeVersions>;

/** The code of all plugins of a study. One whose file cannot be found has none. */
export async function pluginCode({ plugins, file }: Pick<StudyRecord, 'plugins' | 'file'>): Promise<PluginCode> {
  const found = new Map<string, CodeVersions>();
  for (const specifier of plugins) found.set((await loadPlugin(specifier, file)).name, codeVersions(specifier, file));
  return found;
}

export interface StageContext {
  readonly registry: Registry;
  /** Versions of packages: those of plugins without files, and the engine's. */
  readonly packages: Readonly<Record<string, string>>;
  readonly code: PluginCode;
  /** Folder of large data sets, from which files are named. */
  readonly dataDir: string | undefined;
}

/** The code that a stage uses: the engine's version, and its plugins'. */
export function stageCode(ref: ComponentRef, { registry, packages, code }: StageContext): CodeVersions {
  const plugins = packagesOf('stage', ref, registry).map((name) => code.get(name) ?? versionOnly(name, packages));
  return Object.assign({}, versionOnly('@athanor/core', packages), ...plugins) as CodeVersions;
}

/** The files that a stage reads, as its config names them. */
export function stageFiles(ref: ComponentRef, { registry, dataDir }: StageContext): Readonly<Record<string, string>> {
  return Object.fromEntries(filesOf('stage', ref, registry).map((name) => [name, contentHash(resolve(dataDir ?? '.', name))]));
}

function versionOnly(name: string, packages: Readonly<Record<string, string>>): CodeVersions {
  const version = packages[name];
  return version === undefined ? {} : { [name]: version };
}

/**
 * Hashes of the results that the stage at `index` takes; undefined while one of them is not there.
 * `folders`: where to look for stages that are not in the run's own folder yet.
 */
export function inputHashes(run: Run, index: number, folders?: ReadonlyMap<number, string>): Readonly<Record<string, string>> | undefined {
  const names = stageNames(run);
  const hashes: Record<string, string> = {};
  for (const need of stageNeeds(run, index)) {
    const path = join(folders?.get(need) ?? stageFolder(run, need), 'result.json');
    if (!existsSync(path)) return undefined;
    hashes[names[need] ?? ''] = sha256(readFileSync(path));
  }
  return hashes;
}

export interface StageStanding {
  readonly name: string;
  /** `stale`: done by other code or from other inputs than there are now. */
  readonly state: 'done' | 'stale' | 'reusable' | 'begun' | 'waiting';
  /** A finished stage with the same key, elsewhere. */
  readonly from?: string;
  /** What changed since it was done. */
  readonly changes: readonly string[];
}

/** Where the stages of a run stand. `numerics` of its backend; without it, nothing is looked for elsewhere. */
export function stageStandings(run: Run, context: StageContext, { numerics, fresh }: { numerics?: string | null; fresh?: boolean } = {}): StageStanding[] {
  const unsettled = new Set<number>();
  const elsewhere = new Map<number, string>();
  return run.config.stages.map((ref, index): StageStanding => {
    const name = stageNames(run)[index] ?? '';
    const folder = stageFolder(run, index);
    const record = readStageRecord(folder);
    const inputs = stageNeeds(run, index).some((need) => unsettled.has(need)) ? undefined : inputHashes(run, index, elsewhere);
    const done = readResult(folder) !== undefined;
    const begun = existsSync(join(folder, 'checkpoints'));
    if (record !== undefined && (done || begun)) {
      const now: StageParts = { ...record.parts, code: stageCode(ref, context), files: stageFiles(ref, context), inputs: inputs ?? record.parts.inputs };
      const changes = changesBetween(record.parts, now).map(describeChange);
      if (changes.length > 0) {
        unsettled.add(index);
        return { name, state: 'stale', changes };
      }
    }
    if (done) return { name, state: 'done', changes: [] };
    if (inputs !== undefined && numerics !== undefined) {
      const key = stageKey({ config: ref, seed: run.config.seed, numerics, code: stageCode(ref, context), files: stageFiles(ref, context), inputs });
      const from = findStage(key, dirname(run.folder), { fresh: fresh === true });
      if (from !== undefined) {
        elsewhere.set(index, from);
        return { name, state: 'reusable', from: stageWords(from), changes: [] };
      }
    }
    unsettled.add(index);
    return { name, state: begun ? 'begun' : 'waiting', changes: [] };
  });
}

/** Why a stage runs that nothing like it stands for: what differs from the same run of an earlier form of the experiment. */
export function reasonFor(run: Run, name: string, parts: StageParts): Omit<StageReason, 'when'> {
  const study = dirname(run.folder);
  const root = dirname(study);
  const experiment = basename(study).replace(/-[0-9a-f]{8}(?:-\d+)?$/, '');
  const others = readdirSync(root)
    .filter((other) => other !== basename(study) && other.startsWith(`${experiment}-`) && existsSync(join(root, other, run.name)))
    .flatMap((other) => readdirSync(join(root, other, run.name)).filter((stage) => stage.replace(/^\d+-/, '') === name).map((stage) => join(root, other, run.name, stage)));
  const compared = others.flatMap((other) => {
    const record = readStageRecord(other);
    return record === undefined ? [] : [{ other: stageWords(other), changes: changesBetween(record.parts, parts).map(describeChange) }];
  });
  const nearest = compared.toSorted((a, b) => a.changes.length - b.changes.length)[0];
  return { what: 'ran', changes: [], ...nearest };
}
