// `athanor run` and `athanor resume`: work on a study until it is done, then say what came out.
import { relative } from 'node:path';
import { Registry } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { summarize } from '../analysis/summary.ts';
import { addBackend, loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { installedPackages } from '../plugins/installed.ts';
import { loadPlugin } from '../plugins/load.ts';
import { writeReport } from '../report/write.ts';
import { runStudy } from '../run/runner.ts';
import { createStudy, findStudy, runStatus } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { Progress } from '../terminal/progress.ts';
import { summaryTable } from '../terminal/summary.ts';
import type { CommandContext } from './context.ts';

/** Runs an experiment file; a study of the same config that is there already is gone on with. */
export async function runCommand(file: string, words: readonly string[], fresh: boolean, context: CommandContext): Promise<void> {
  const experiment = await loadExperiment(file, { words, builtin: builtinPlugins });
  const study = createStudy(experiment, context.runs, { fresh });
  await work(study, experiment.registry, context);
}

/** Goes on with a study by its name or folder, with the config that it was begun with. */
export async function resumeCommand(name: string, context: CommandContext): Promise<void> {
  const study = findStudy(name, context.runs);
  const { plugins, file } = study.record;
  const registry = new Registry(builtinPlugins);
  for (const specifier of plugins) {
    const plugin = await loadPlugin(specifier, file);
    if (!builtinPlugins.some(({ name: builtin }) => builtin === plugin.name)) registry.add(plugin);
  }
  const backends = study.runs.map(({ config }) => config.backend).filter((ref): ref is ComponentRef => ref !== undefined);
  for (const backend of backends) await addBackend(backend, registry, file);
  await work(study, registry, context);
}

async function work(study: Study, registry: Registry, context: CommandContext): Promise<void> {
  const left = study.runs.filter((run) => runStatus(run) !== 'done').length;
  if (left === 0) {
    context.out(`${shown(study.folder)} is done already: nothing to run (--fresh runs it anew)`);
  } else {
    const computing = installedPackages(process.cwd()).filter(({ name, plugin }) => plugin || name === '@athanor/core');
    const packages = Object.fromEntries(computing.map(({ name, version }) => [name, version]));
    await runStudy(study, { registry, packages, observer: new Progress(context.progress), dataDir: context.dataDir, ownsProcess: context.ownsProcess });
  }
  context.out(`\n${summaryTable(summarize(study))}\n`);
  context.out(`Report: ${shown(writeReport(study))}`);
}

function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
