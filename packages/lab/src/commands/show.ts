// `athanor show`: what each job of an experiment or a run does, with every default filled in.
import { existsSync, statSync } from 'node:fs';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { stringify } from 'yaml';
import type { JobConfig } from '../config/jobs.ts';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { findStudy } from '../run/study.ts';
import { defineCommand } from './command.ts';

export const show = defineCommand({
  usage: 'show <what> [overrides..]',
  summary: 'print the resolved config of each job, as YAML',
  positionals: {
    what: { type: 'string', demandOption: true, describe: 'experiment file, or name or folder of a run' },
    overrides: { type: 'string', array: true, default: [] as string[], describe: 'key=value, of an experiment file' },
  },
  options: {
    job: { type: 'string', describe: 'only this job, by its name or the start of it' },
    quick: { type: 'boolean', default: false, describe: 'the quick form of an experiment file' },
  },
  examples: [['$0 show experiments/quickstart.yaml --job norm-batch', 'what one variant does']],
  run: async ({ what, overrides, job, quick }, { out, runs }) => {
    const isFile = existsSync(what) && statSync(what).isFile();
    if (!isFile && (overrides.length > 0 || quick)) {
      throw new UserError(`${what} is no experiment file: overrides and --quick go with one`, { remedy: 'a run has the config that it was begun with' });
    }
    const jobs: readonly { readonly name: string; readonly config: JobConfig }[] = isFile
      ? (await loadExperiment(what, { words: overrides, quick, builtin: builtinPlugins })).jobs
      : findStudy(what, runs).runs;
    const chosen = job === undefined ? jobs : jobs.filter(({ name }) => name === job || name.startsWith(job));
    if (chosen.length === 0) {
      const names = jobs.map(({ name }) => name);
      throw new UserError(`there is no job ${JSON.stringify(job)}${didYouMean(job ?? '', names)}`, { remedy: `jobs: ${names.join(', ')}` });
    }
    out(chosen.map(({ name, config }) => `# ${name}\n${stringify(config, { aliasDuplicateObjects: false }).trimEnd()}`).join('\n---\n'));
  },
});
