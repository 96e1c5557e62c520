// `athanor run`: run an experiment file; a study of the same config that is there already is gone on with.
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { executorOptions } from '../executors/choose.ts';
import { createStudy } from '../run/study.ts';
import { defineCommand } from './command.ts';
import { work } from './work.ts';

export const run = defineCommand({
  usage: 'run <experiment> [overrides..]',
  summary: 'run an experiment file',
  positionals: {
    experiment: { type: 'string', demandOption: true, describe: 'YAML file' },
    overrides: { type: 'string', array: true, default: [] as string[], describe: 'key=value, e.g. train.steps=100' },
  },
  options: {
    fresh: { type: 'boolean', default: false, describe: 'do not go on with a run that is there' },
    keep: { type: 'boolean', default: false, describe: 'keep what older code has computed; by default it runs again' },
    quick: { type: 'boolean', default: false, describe: "the experiment's quick form" },
    ...executorOptions,
  },
  examples: [
    ['$0 run experiments/quickstart.yaml', 'run every variant, or go on where it stopped'],
    ['$0 run experiments/quickstart.yaml norm=layer seeds=[0,1,2]', 'other values'],
  ],
  run: async ({ experiment: file, overrides, fresh, keep, quick, ...words }, context) => {
    const experiment = await loadExperiment(file, { words: overrides, quick, builtin: builtinPlugins });
    const study = createStudy(experiment, context.runs, { fresh });
    return work(study, experiment.registry, context, words, keep ? 'tell' : 'rerun');
  },
});
