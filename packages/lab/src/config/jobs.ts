// The jobs of an experiment: every combination of its sweep with every seed, references filled in, components checked.
import { componentRef } from '@athanor/core/plugin';
import type { ComponentRef, ConfigIssue, Registry } from '@athanor/core/plugin';
import type { Mistake, Path } from './document.ts';
import { anyCombination, combinations, jobNames, placedVariables } from './expand.ts';
import type { Combination } from './expand.ts';
import { experimentSchema } from './experiment.ts';
import type { ExperimentConfig } from './experiment.ts';
import { isBlock, parsePath, pathText, withValueAt } from './paths.ts';
import { blockedAt } from './overrides.ts';
import { placed } from './place.ts';
import type { Place } from './place.ts';
import { substitute } from './references.ts';
import type { Halving } from '../run/rung.ts';
import { stageGraph, withoutNeeds } from './stages.ts';
import type { StageNode } from './stages.ts';

/** What one run does, with every default filled in: the content that its identity is made from. */
export interface JobConfig {
  readonly seed: number;
  readonly backend?: ComponentRef;
  /** In an order in which they can run. */
  readonly stages: readonly ComponentRef[];
  /** Name and needs of each stage, where the experiment names its stages; else each needs all before it. */
  readonly graph?: readonly StageNode[];
  readonly halving?: Halving;
}

/** One run of an experiment. */
export interface Job {
  /** Unique within the experiment, fit for a folder name. */
  readonly name: string;
  /** The sweep's variables. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly config: JobConfig;
}

const stageRef = componentRef('stage');

/**
 * All jobs, and every mistake in any of them. `raw` is the config as it was written, overrides laid over; `written` the
 * same without: a variable that only overrides have put out of use is no mistake.
 */
export function expandJobs(
  raw: Record<string, unknown>,
  experiment: ExperimentConfig,
  registry: Registry,
  place: Place,
  written: Record<string, unknown> = raw,
): { jobs: Job[]; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const drafts: { values: Record<string, unknown>; seed: number; config: JobConfig }[] = [];
  const { sweep: _sweep, claims: _claims, quick: _quick, ...config } = raw;
  const used = usedIn(written, experiment.sweep);
  const broken = experiment.sweep === undefined && raw['sweep'] !== undefined;
  for (const combination of broken ? [anyCombination(raw['sweep'])] : combinations(experiment.sweep)) {
    for (const seed of experiment.seeds) {
      const filled = fillIn(config, combination, seed);
      mistakes.push(...filled.mistakes.map(({ path, message }) => ({ place: place(path, 'value'), message: `${pathText(path)}: ${message}` })));
      mistakes.push(...(broken ? [] : filled.unused.filter(([name]) => !used.has(name))).map(([name, source]) => ({
        place: place(source, 'key'),
        message: `sweep variable ${JSON.stringify(name)} is used nowhere: write "\${${name}}" where it belongs, or name a place such as train.batch`,
      })));
      mistakes.push(...filled.blocked.map(({ source, message }) => ({ place: place(source, 'key'), message })));
      if (filled.mistakes.length > 0) continue;
      const { stages, graph, backend, issues } = resolveJob(filled.value, registry);
      mistakes.push(...issues.map(({ issue, path }) => placed(issue, place, path, filled.sources)));
      const values = Object.fromEntries([...combination].map(([name, { value }]) => [name, value]));
      const halving = experiment.sweep?.halving;
      const optional = { ...(backend === undefined ? {} : { backend }), ...(graph === undefined ? {} : { graph }), ...(halving === undefined ? {} : { halving }) };
      drafts.push({ values, seed, config: { seed, stages, ...optional } });
    }
  }
  const names = jobNames(drafts);
  return { mistakes, jobs: drafts.map(({ values, config: job }, index) => ({ name: names[index] ?? '', values, config: job })) };
}

/** The variables of the sweep that a config refers to. */
function usedIn({ sweep: _sweep, claims: _claims, quick: _quick, ...config }: Record<string, unknown>, sweep: ExperimentConfig['sweep']): ReadonlySet<string> {
  const variables = new Map(combinations(sweep).flatMap((combination) => [...combination]));
  return substitute(config, variables).used;
}

/** A config with the sweep's values and all references filled in. */
function fillIn(config: Record<string, unknown>, combination: Combination, seed: number) {
  const variables = new Map([...combination, ['seed', { value: seed }] as const]);
  const { used } = substitute(config, variables);
  const rest = new Map([...combination].filter(([name]) => !used.has(name)));
  const places = placedVariables(config, rest);
  const blocked = places.flatMap(({ path, variable: { source = [] } }) => {
    const message = blockedAt(config, path);
    return message === undefined ? [] : [{ source: source.slice(0, source.lastIndexOf(pathText(path)) + 1), message: `${pathText(path)}: ${message}` }];
  });
  let value = config;
  for (const { path, variable } of places) value = withValueAt(value, path, variable.value) as Record<string, unknown>;
  const filled = substitute(value, variables);
  const sources = new Map(filled.sources);
  for (const { path, variable } of places) if (variable.source !== undefined) sources.set(pathText(path), variable.source);
  const set = new Set(places.map(({ path }) => pathText(path)));
  return {
    value: filled.value as Record<string, unknown>,
    mistakes: filled.mistakes,
    blocked,
    sources,
    unused: [...rest]
      .filter(([name]) => !set.has(pathText(parsePath(name))))
      .map(([name, { source = [] }]) => [name, source.slice(0, source.lastIndexOf(name) + 1)] as const),
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
  let graph: readonly StageNode[] | undefined;
  if (typeof listed === 'object' && listed !== null) {
    const checked = new Map(
      Object.entries(listed as Record<string, unknown>).flatMap(([id, written]) => {
        const ref = stageRef.safeParse(written).data;
        const key = Array.isArray(listed) ? Number(id) : id;
        return ref === undefined ? [] : [[id, add('stage', isBlock(listed) ? withoutNeeds(ref) : ref, (path) => ['stages', key, ...path])] as const];
      }),
    );
    if (!isBlock(listed)) {
      stages.push(...checked.values());
    } else {
      const { nodes, mistakes } = stageGraph(listed);
      graph = nodes;
      issues.push(...mistakes.map(({ path, message }) => ({ issue: { path, message, at: 'value' as const }, path })));
      stages.push(...nodes.flatMap(({ id }) => checked.get(id) ?? []));
      if (Object.keys(listed).length === 0) issues.push({ issue: { path: [], at: 'value', message: 'there are none' }, path: ['stages'] });
    }
    if (train !== undefined) {
      issues.push({ issue: { path: [], at: 'key', message: 'write either `train` or `stages`, not both' }, path: ['train'] });
    }
  } else if (train === undefined && listed === undefined) {
    issues.push({ issue: { path: [], at: 'value', message: 'nothing to run: write `train` or `stages`' }, path: [] });
  } else if (isBlock(train)) {
    const shared = Object.fromEntries(Object.entries({ data, model }).filter(([, value]) => value !== undefined));
    const ref = { ...shared, ...train, name: 'train' };
    stages.push(add('stage', ref, (path) => (path[0] === 'data' || path[0] === 'model' ? path : ['train', ...path])));
  }
  const given = experimentSchema.shape.backend.safeParse(config['backend']).data;
  const backend = given === undefined ? undefined : add('backend', given, (path) => ['backend', ...path]);
  return { stages, graph, backend, issues };
}

