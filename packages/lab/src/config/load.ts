// From an experiment file and the words of the command line to jobs that are known to be valid.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { UserError } from '@athanor/core';
import { Registry, didYouMean, explainIssues, splitRef } from '@athanor/core/plugin';
import type { ComponentRef, ConfigIssue, Plugin } from '@athanor/core/plugin';
import type { Claim } from '../claims/schema.ts';
import { claimMistakes } from '../claims/select.ts';
import { PluginNotFound, loadPlugin } from '../plugins/load.ts';
import { parseConfig } from './document.ts';
import type { ConfigDocument, Mistake, Path } from './document.ts';
import { combinations, jobNames, placedVariables } from './expand.ts';
import type { Combination } from './expand.ts';
import { experimentSchema } from './experiment.ts';
import type { ExperimentConfig } from './experiment.ts';
import { ConfigError } from './mistakes.ts';
import { applyOverrides, parseOverride } from './overrides.ts';
import type { Override } from './overrides.ts';
import { isBlock, parsePath, pathText, valueAt, withValueAt } from './paths.ts';
import { substitute } from './references.ts';

/** What one run does, with every default filled in: the content that its identity is made from. */
export interface JobConfig {
  readonly seed: number;
  readonly backend?: ComponentRef;
  readonly stages: readonly ComponentRef[];
}

/** One run of an experiment. */
export interface Job {
  /** Unique within the experiment, fit for a folder name. */
  readonly name: string;
  /** The sweep's variables. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly config: JobConfig;
}

export interface Experiment {
  /** The file's name without its ending. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** `key=value` words laid over the file. */
  readonly words: readonly string[];
  readonly question: string | undefined;
  /** The specifiers under `plugins`. */
  readonly plugins: readonly string[];
  readonly jobs: readonly Job[];
  readonly claims: readonly Claim[];
  readonly registry: Registry;
}

export interface LoadOptions {
  /** `key=value` words. */
  readonly words?: readonly string[];
  /** Plugins that are there without being named: the lab's own. */
  readonly builtin: readonly Plugin[];
}

/**
 * Reads, expands and checks an experiment. Throws a {@link ConfigError} with every mistake at
 * once, each with its place.
 */
export async function loadExperiment(file: string, { words = [], builtin }: LoadOptions): Promise<Experiment> {
  const path = resolve(file);
  const shown = relative(process.cwd(), path);
  const document = parseConfig(readText(path, shown), shown.startsWith('..') ? path : shown);
  const parsed = words.map(parseOverride);
  const overrides = parsed.filter((override): override is Override => 'word' in override);
  const mistakes: Mistake[] = [...document.mistakes, ...parsed.filter((word): word is Mistake => 'place' in word)];
  if (document.mistakes.length > 0) throw new ConfigError(mistakes);

  const overridden = applyOverrides(document.value, overrides);
  mistakes.push(...overridden.mistakes);
  const place = placer(document, overridden.applied);
  const checked = experimentSchema.safeParse(overridden.value, { reportInput: true });
  if (!checked.success) mistakes.push(...explainIssues(checked.error, experimentSchema).map((issue) => placed(issue, place)));

  const experiment = checked.success ? checked.data : wellFormedParts(overridden.value);
  const registry = new Registry(builtin);
  const failed = mistakes.length;
  for (const [index, specifier] of experiment.plugins.entries()) {
    try {
      const plugin = await loadPlugin(specifier, path);
      if (!builtin.some(({ name }) => name === plugin.name)) registry.add(plugin);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      mistakes.push({ place: place(['plugins', index], 'value'), message: error.message });
    }
  }
  if (mistakes.length > failed) throw new ConfigError(mistakes);
  try {
    if (experiment.backend !== undefined) await addBackend(experiment.backend, registry, path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new ConfigError([...mistakes, { place: place(['backend'], 'value'), message: error.message }]);
  }

  const jobs = expandJobs(overridden.value, experiment, registry, place);
  mistakes.push(...jobs.mistakes);
  // A sweep that the command line cuts down may lack what claims speak of.
  const whole = !overridden.applied.some(({ path: [first] }) => first === 'sweep');
  if (whole && jobs.mistakes.length === 0) {
    mistakes.push(...claimMistakes(experiment.claims, jobs.jobs).map(({ path: at, message }) => ({
      place: place(['claims', ...at], 'value'),
      message: `${pathText(['claims', ...at])}: ${message}`,
    })));
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return {
    name: basename(path, extname(path)),
    file: path,
    words,
    question: experiment.question,
    plugins: experiment.plugins,
    jobs: jobs.jobs,
    claims: experiment.claims,
    registry,
  };
}

type Place = (path: Path, at: 'key' | 'value', sources?: ReadonlyMap<string, Path>) => string;

/** Where a value comes from: the file, the sweep's list, or a word of the command line. */
function placer(document: ConfigDocument, overrides: readonly Override[]): Place {
  return (path, at, sources = new Map()) => {
    let origin = path;
    for (let hop = 0; hop < 20; hop++) {
      const moved = throughSource(origin, sources);
      if (moved === undefined) break;
      origin = moved;
    }
    const absent = [origin, origin.slice(0, -1)].filter((parent) => valueAt(document.value, parent) === undefined);
    const override =
      overrides.findLast((word) => startsWith(origin, word.path)) ??
      absent.map((parent) => overrides.findLast((word) => startsWith(word.path, parent))).find((word) => word !== undefined);
    return override === undefined ? document.locate(origin, at) : `command line ${JSON.stringify(override.word)}`;
  };
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, index) => path[index] === key);
}

function throughSource(path: Path, sources: ReadonlyMap<string, Path>): Path | undefined {
  for (let length = path.length; length > 0; length--) {
    const source = sources.get(pathText(path.slice(0, length)));
    if (source !== undefined) return [...source, ...path.slice(length)];
  }
  return undefined;
}

function placed(issue: ConfigIssue, place: Place, path: Path = issue.path as Path, sources?: ReadonlyMap<string, Path>): Mistake {
  const message = issue.at === 'key' || path.length === 0 ? issue.message : `${pathText(path)}: ${issue.message}`;
  return { place: place(path, issue.at, sources), message };
}

function expandJobs(
  raw: Record<string, unknown>,
  experiment: ExperimentConfig,
  registry: Registry,
  place: Place,
): { jobs: Job[]; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const drafts: { values: Record<string, unknown>; seed: number; config: JobConfig }[] = [];
  const { sweep: _sweep, claims: _claims, ...config } = raw;
  for (const combination of combinations(experiment.sweep)) {
    for (const seed of experiment.seeds) {
      const filled = fillIn(config, combination, seed);
      mistakes.push(...filled.mistakes.map(({ path, message }) => ({ place: place(path, 'value'), message: `${pathText(path)}: ${message}` })));
      mistakes.push(...filled.unused.map((name) => ({
        place: place(['sweep', 'grid', name], 'key'),
        message: `sweep variable ${JSON.stringify(name)} is used nowhere: write "\${${name}}" where it belongs, or name a place such as train.batch`,
      })));
      if (filled.mistakes.length > 0) continue;
      const { stages, backend, issues } = resolveJob(filled.value, registry);
      mistakes.push(...issues.map(({ issue, path }) => placed(issue, place, path, filled.sources)));
      const values = Object.fromEntries([...combination].map(([name, { value }]) => [name, value]));
      drafts.push({ values, seed, config: { seed, ...(backend === undefined ? {} : { backend }), stages } });
    }
  }
  const names = jobNames(drafts);
  return { mistakes, jobs: drafts.map(({ values, config: job }, index) => ({ name: names[index] ?? '', values, config: job })) };
}

/** A config with the sweep's values and all references filled in. */
function fillIn(config: Record<string, unknown>, combination: Combination, seed: number) {
  const variables = new Map([...combination, ['seed', { value: seed }] as const]);
  const { used } = substitute(config, variables);
  const rest = new Map([...combination].filter(([name]) => !used.has(name)));
  const places = placedVariables(config, rest);
  let value = config;
  for (const { path, variable } of places) value = withValueAt(value, path, variable.value) as Record<string, unknown>;
  const filled = substitute(value, variables);
  const sources = new Map(filled.sources);
  for (const { path, variable } of places) if (variable.source !== undefined) sources.set(pathText(path), variable.source);
  const set = new Set(places.map(({ path }) => pathText(path)));
  return {
    value: filled.value as Record<string, unknown>,
    mistakes: filled.mistakes,
    sources,
    unused: [...rest.keys()].filter((name) => !set.has(pathText(parsePath(name)))),
  };
}

/** A job's stages and backend with all defaults, and their mistakes with paths in the experiment. */
function resolveJob(config: Record<string, unknown>, registry: Registry) {
  const issues: { issue: ConfigIssue; path: Path }[] = [];
  const { stages: listed, train, data, model } = config;
  const add = (kind: string, ref: ComponentRef, toPath: (path: Path) => Path): ComponentRef => {
    const resolved = registry.resolve(kind, ref);
    issues.push(...resolved.issues.map((issue) => ({ issue, path: toPath(issue.path as Path) })));
    return resolved.ref;
  };
  const stages: ComponentRef[] = [];
  if (listed !== undefined) {
    const refs = experimentSchema.shape.stages.safeParse(listed).data ?? [];
    stages.push(...refs.map((ref, index) => add('stage', ref, (path) => ['stages', index, ...path])));
    if (train !== undefined) {
      issues.push({ issue: { path: [], at: 'key', message: 'write either `train` or `stages`, not both' }, path: ['train'] });
    }
  } else if (train === undefined) {
    issues.push({ issue: { path: [], at: 'value', message: 'nothing to run: write `train` or `stages`' }, path: [] });
  } else if (isBlock(train)) {
    const shared = Object.fromEntries(Object.entries({ data, model }).filter(([, value]) => value !== undefined));
    const ref = { ...shared, ...train, name: 'train' };
    stages.push(add('stage', ref, (path) => (path[0] === 'data' || path[0] === 'model' ? path : ['train', ...path])));
  }
  const given = experimentSchema.shape.backend.safeParse(config['backend']).data;
  const backend = given === undefined ? undefined : add('backend', given, (path) => ['backend', ...path]);
  return { stages, backend, issues };
}

/** A backend's package need not be named under `plugins`: `wasm` is looked for in `@athanor/backend-wasm`. */
export async function addBackend(backend: ComponentRef, registry: Registry, file: string): Promise<void> {
  const { name } = splitRef(backend);
  if (!/^[a-z]+$/.test(name) || registry.list('backend').some(({ component }) => component.name === name)) return;
  try {
    registry.add(await loadPlugin(`@athanor/backend-${name}`, file));
  } catch (error) {
    if (!(error instanceof PluginNotFound)) throw error;
  }
}

/** What can be checked further of a config whose top level has mistakes: each key that is right by itself. */
function wellFormedParts(value: Record<string, unknown>): ExperimentConfig {
  const good = Object.entries(experimentSchema.shape).flatMap(([key, schema]) => {
    const parsed = schema.safeParse(value[key]);
    return parsed.success ? [[key, value[key]] as const] : [];
  });
  return experimentSchema.parse(Object.fromEntries(good));
}

function readText(path: string, shown: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  const folder = dirname(path);
  const present = existsSync(folder) ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)) : [];
  throw new UserError(`there is no experiment ${shown}${didYouMean(basename(path), present)}`);
}
