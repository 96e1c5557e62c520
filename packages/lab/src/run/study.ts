// A study on disk: the folder of one experiment as it is run, with a run folder for each of its jobs.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { stringify } from 'yaml';
import type { Claim } from '../claims/schema.ts';
import type { Experiment, JobConfig } from '../config/load.ts';
import { shownPath } from '../config/shown-path.ts';
import { canonicalText, sha256 } from './canonical.ts';
import { makeFolder, writeFileWhole } from './files.ts';
import { isLocked } from './lock.ts';
import { allowedRung, readStanding } from './rung.ts';
import { readJsonFile, readYamlFile } from './read-json.ts';
import type { Json } from './stage.ts';

/** What `study.json` holds. */
export interface StudyRecord {
  readonly name: string;
  /** The experiment file, absolute. */
  readonly file: string;
  readonly words: readonly string[];
  readonly question: string | null;
  /** As the experiment names them, resolved from its file. */
  readonly plugins: readonly string[];
  readonly created: string;
  /** Begun by --fresh: stages that other studies have finished are not taken over. */
  readonly fresh?: boolean;
  /** As the experiment stated them when it was last run or judged; studies of older versions have none. */
  readonly claims?: readonly Claim[];
  readonly jobs: readonly { readonly name: string; readonly values: Readonly<Record<string, Json>> }[];
}

/** A run: one job of a study, with its folder. */
export interface Run {
  readonly name: string;
  readonly values: Readonly<Record<string, Json>>;
  readonly folder: string;
  readonly config: JobConfig;
}

export interface Study {
  readonly folder: string;
  readonly record: StudyRecord;
  readonly runs: readonly Run[];
}

/** How far a run has come; `stopped`: it stands at the rung to which halving lets it go. */
export type RunStatus = 'done' | 'running' | 'stopped' | 'interrupted' | 'waiting';

/** Identity of an experiment: equal for equal configs, whatever the file looks like. */
export function identityOf(jobs: readonly { readonly config: JobConfig }[]): string {
  return sha256(canonicalText(jobs.map(({ config }) => config))).slice(0, 8);
}

/** Folder of an experiment's study under `root`, whether it is there or not. */
export function studyFolder({ name, jobs }: Pick<Experiment, 'name' | 'jobs'>, root: string): string {
  return join(root, `${name}-${identityOf(jobs)}`);
}

/**
 * The study of an experiment under `root`: `name-hash`. One that is there is opened, so that it is
 * gone on with; `fresh` makes another beside it (`name-hash-2`).
 */
export function createStudy(experiment: Experiment, root: string, { fresh = false } = {}): Study {
  const base = studyFolder(experiment, root);
  let folder = base;
  for (let copy = 2; fresh && existsSync(folder); copy++) folder = `${base}-${copy}`;
  if (existsSync(join(folder, 'study.json'))) return withClaims(openStudy(folder), experiment.claims);
  makeFolder(folder);
  for (const { name, config } of experiment.jobs) {
    makeFolder(join(folder, name));
    writeFileWhole(join(folder, name, 'config.yaml'), stringify(config));
  }
  writeFileWhole(join(folder, basename(experiment.file)), readFileSync(experiment.file));
  const record: StudyRecord = {
    name: experiment.name,
    file: experiment.file,
    words: experiment.words,
    question: experiment.question ?? null,
    plugins: experiment.plugins,
    created: new Date().toISOString(),
    ...(fresh ? { fresh } : {}),
    claims: experiment.claims,
    jobs: experiment.jobs.map(({ name, values }) => ({ name, values: values as Record<string, Json> })),
  };
  writeRecord(folder, record);
  return openStudy(folder);
}

/** Claims are no part of a study's identity: those of the file as it is now are what its numbers are held against. */
function withClaims(study: Study, claims: readonly Claim[]): Study {
  if (JSON.stringify(study.record.claims ?? []) === JSON.stringify(claims)) return study;
  const record = { ...study.record, claims };
  writeRecord(study.folder, record);
  return { ...study, record };
}

function writeRecord(folder: string, record: StudyRecord): void {
  writeFileWhole(join(folder, 'study.json'), `${JSON.stringify(record, null, 2)}\n`);
}

const damagedStudy = 'delete the folder, or run the experiment anew with --fresh';

/** Opens a study's folder, or the one that holds a run's folder. Throws a UserError if it is none. */
export function openStudy(path: string): Study {
  const { folder, record } = openRecord(path);
  return { folder, record, runs: record.jobs.map((job) => readRun(folder, job)) };
}

/** The same without the configs of its runs. */
export function openRecord(path: string): Pick<Study, 'folder' | 'record'> {
  const folder = [resolve(path), resolve(path, '..')].find((candidate) => existsSync(join(candidate, 'study.json')));
  if (folder === undefined) throw new UserError(`${path} is not a run: it has no study.json`, { remedy: 'athanor ls shows all runs' });
  const record = readJsonFile<StudyRecord>(join(folder, 'study.json'), damagedStudy);
  if (!Array.isArray(record.jobs)) throw new UserError(`${shownPath(join(folder, 'study.json'))} is damaged: it lists no jobs`, { remedy: damagedStudy });
  return { folder, record };
}

function readRun(study: string, { name, values }: StudyRecord['jobs'][number]): Run {
  const folder = join(study, name);
  return { name, values, folder, config: readYamlFile<JobConfig>(join(folder, 'config.yaml'), damagedStudy) };
}

/** Opens one run by its folder. Throws a UserError if it is none. */
export function openRun(folder: string): Run {
  const path = resolve(folder);
  const { folder: study, record } = openRecord(path);
  const job = record.jobs.find(({ name }) => join(study, name) === path);
  if (job === undefined) throw new UserError(`${folder} is not the folder of a run`, { remedy: 'name one of the folders beside a study.json' });
  return readRun(study, job);
}

/** All studies under `root`, the newest first. Those that are damaged are left out, and told to `damaged`. */
export function listStudies(root: string, damaged: (message: string) => void = () => undefined): Study[] {
  const names = existsSync(root) ? readdirSync(root) : [];
  return names
    .map((name) => join(root, name))
    .filter((folder) => existsSync(join(folder, 'study.json')))
    .flatMap((folder) => {
      try {
        return [openStudy(folder)];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        damaged(error.message);
        return [];
      }
    })
    .toSorted((a, b) => (a.record.created < b.record.created ? 1 : -1));
}

/** Finds a study by its path or its name under `root`. A folder of that name that is no run hides none. */
export function findStudy(name: string, root: string): Study {
  if (existsSync(name) && statSync(name).isDirectory()) {
    const isRun = [name, join(name, '..')].some((folder) => existsSync(join(folder, 'study.json')));
    const others = existsSync(root) ? readdirSync(root).some((other) => other.startsWith(basename(name))) : false;
    if (isRun || !others) return openStudy(name);
  }
  if (existsSync(join(root, name))) return openStudy(join(root, name));
  const known = listStudies(root).map(({ folder }) => basename(folder));
  const starting = known.filter((candidate) => candidate.startsWith(name));
  if (starting.length === 1) return openStudy(join(root, starting[0] ?? name));
  throw new UserError(`there is no run ${JSON.stringify(name)} under ${relative(process.cwd(), root) || root}${didYouMean(name, known.flatMap((own) => [own.replace(/-[0-9a-f]{8}(?:-\d+)?$/, ''), own]))}`, {
    remedy: 'athanor ls shows all',
  });
}

/** Folder of the stage at `index`. */
export function stageFolder(run: Run, index: number): string {
  return join(run.folder, `${index}-${stageNames(run)[index] ?? 'stage'}`);
}

/** Names of a run's stages: those that the experiment gives, or else their components'. */
export function stageNames({ config }: Pick<Run, 'config'>): string[] {
  return config.stages.map((ref, index) => config.graph?.[index]?.id ?? (typeof ref === 'string' ? ref : ref.name));
}

/** Indices of the stages whose outcome the stage at `index` takes: those it names, or else all before it. */
export function stageNeeds({ config }: Pick<Run, 'config'>, index: number): number[] {
  const { graph } = config;
  if (graph === undefined) return Array.from({ length: index }, (_, before) => before);
  return (graph[index]?.needs ?? []).map((need) => graph.findIndex(({ id }) => id === need));
}

/** How far a run has come, from its folder. */
export function runStatus(run: Run): RunStatus {
  const done = run.config.stages.every((_, index) => existsSync(join(stageFolder(run, index), 'result.json')));
  if (done) return 'done';
  if (isLocked(run.folder)) return 'running';
  if (run.config.halving !== undefined) {
    const allowed = allowedRung(run.folder) ?? Infinity;
    if ((readStanding(stageFolder(run, run.config.stages.length - 1))?.rung ?? -1) >= allowed) return 'stopped';
  }
  return existsSync(join(run.folder, 'environment.json')) ? 'interrupted' : 'waiting';
}
