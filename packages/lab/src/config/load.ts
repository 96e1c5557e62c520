// From an experiment file and the words of the command line to jobs that are known to be valid.
import { existsSync } from 'node:fs';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { UserError } from '@athanor/core';
import { Registry, didYouMean, explainIssues, splitRef } from '@athanor/core/plugin';
import type { ComponentRef, Plugin } from '@athanor/core/plugin';
import type { Claim } from '../claims/schema.ts';
import { claimMistakes } from '../claims/select.ts';
import { PluginNotFound, loadPlugin } from '../plugins/load.ts';
import type { Mistake } from './document.ts';
import { experimentSchema } from './experiment.ts';
import type { ExperimentConfig } from './experiment.ts';
import { expandJobs } from './jobs.ts';
import type { Job } from './jobs.ts';
import { nearFiles, readLayers } from './layers.ts';
import type { LayeredConfig } from './layers.ts';
import { ConfigError } from './mistakes.ts';
import { applyOverrides, parseOverride, quickOverrides } from './overrides.ts';
import type { Override } from './overrides.ts';
import { pathText } from './paths.ts';
import { placeOf, placed, placer } from './place.ts';
import { shownPath } from './shown-path.ts';

export type { Job, JobConfig } from './jobs.ts';

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
  /** Whether the experiment's `quick` form is meant. */
  readonly quick?: boolean;
  /** Plugins that are there without being named: the lab's own. */
  readonly builtin: readonly Plugin[];
}

/**
 * Reads, expands and checks an experiment with all that it extends, in YAML or as a module.
 * Throws a {@link ConfigError} with every mistake at once, each with its place.
 */
export async function loadExperiment(file: string, { words = [], quick = false, builtin }: LoadOptions): Promise<Experiment> {
  const path = resolve(file);
  if (!existsSync(path)) throw new UserError(`there is no experiment ${shownPath(path)}${nearFiles(path)}`);
  const document = await readLayers(path);
  const parsed = words.map(parseOverride);
  const given = parsed.filter((override): override is Override => 'from' in override);
  const mistakes: Mistake[] = [...document.mistakes, ...parsed.filter((word): word is Mistake => 'place' in word)];
  if (document.mistakes.length > 0) throw new ConfigError(mistakes);

  const small = quickOverrides(document.value['quick'], (key) => document.locate(['quick', key], 'key'));
  mistakes.push(...small.mistakes);
  if (quick && small.overrides.length === 0 && small.mistakes.length === 0) {
    mistakes.push({ place: document.file, message: 'there is no quick form: write `quick:` with keys such as train.steps, and their values in it' });
  }
  const chosen = checkForm(document, [...(quick ? small.overrides : []), ...given]);
  mistakes.push(...chosen.mistakes);
  const { experiment } = chosen;
  const plugins = experiment.plugins.map((specifier) => fromMainFile(specifier, document.fileOf(['plugins']), path));
  const registry = new Registry(builtin);
  const failed = mistakes.length;
  for (const [index, specifier] of plugins.entries()) {
    try {
      const plugin = await loadPlugin(specifier, path);
      if (!builtin.some(({ name }) => name === plugin.name)) registry.add(plugin);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      mistakes.push({ place: chosen.place(['plugins', index], 'value'), message: error.message });
    }
  }
  if (mistakes.length > failed) throw new ConfigError(mistakes);
  let value = chosen.value;
  try {
    if (experiment.backend !== undefined) await addBackend(experiment.backend, registry, path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    mistakes.push({ place: chosen.place(['backend'], 'value'), message: error.message });
    const { backend: _, ...rest } = value;
    value = rest;
  }

  const { jobs, mistakes: inJobs } = expandJobs(value, experiment, registry, chosen.place, document.value);
  mistakes.push(...inJobs);
  // A sweep that overrides change may lack what claims speak of.
  if (!chosen.sweepChanged && inJobs.length === 0) {
    mistakes.push(...claimMistakes(experiment.claims, jobs).map(({ path: at, message }) => ({
      place: chosen.place(['claims', ...at], 'value'),
      message: `${pathText(['claims', ...at])}: ${message}`,
    })));
  }
  if (!quick && small.overrides.length > 0) {
    // The quick form is checked too, though it is not what runs: as these words with --quick would have it.
    const form = checkForm(document, [...small.overrides, ...given]);
    mistakes.push(...form.mistakes, ...expandJobs(form.value, form.experiment, registry, form.place, document.value).mistakes);
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return {
    name: basename(path, extname(path)),
    file: path,
    words,
    question: experiment.question,
    plugins,
    jobs,
    claims: experiment.claims,
    registry,
  };
}

/** A config with overrides laid over, its top level checked by the schema. */
function checkForm(document: LayeredConfig, overrides: readonly Override[]) {
  const { value, applied, mistakes: blocked } = applyOverrides(document.value, overrides);
  const place = placer(document, applied);
  const mistakes: Mistake[] = blocked.map(({ from, message }) => ({ place: placeOf(from, document), message }));
  const checked = experimentSchema.safeParse(value, { reportInput: true });
  if (!checked.success) mistakes.push(...explainIssues(checked.error, experimentSchema).map((issue) => placed(issue, place)));
  return {
    value,
    place,
    mistakes,
    experiment: checked.success ? checked.data : wellFormedParts(value),
    sweepChanged: applied.some(({ path: [first] }) => first === 'sweep'),
  };
}

/** A file that an extended experiment names beside itself, as the experiment would name it. */
function fromMainFile(specifier: string, writtenIn: string, main: string): string {
  if (!specifier.startsWith('.') || dirname(writtenIn) === dirname(main)) return specifier;
  const path = relative(dirname(main), resolve(dirname(writtenIn), specifier));
  return path.startsWith('.') ? path : `./${path}`;
}

/** Those of this project, each a package of its own. */
const ownBackends = ['cpu', 'wasm', 'native', 'gpujs'];

/** A backend's package need not be named under `plugins`: `wasm` is looked for in `@athanor/backend-wasm`. */
export async function addBackend(backend: ComponentRef, registry: Registry, file: string): Promise<void> {
  const { name } = splitRef(backend);
  const known = registry.list('backend').map(({ component }) => component.name);
  if (!/^[a-z]+$/.test(name) || known.includes(name)) return;
  try {
    registry.add(await loadPlugin(`@athanor/backend-${name}`, file));
  } catch (error) {
    if (!(error instanceof PluginNotFound)) throw error;
    throw new UserError(`there is no backend ${JSON.stringify(name)}${didYouMean(name, [...known, ...ownBackends])}`, {
      remedy: `loaded are ${known.join(', ')}; npm install @athanor/backend-${name} if that is a package`,
    });
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
