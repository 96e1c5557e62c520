// `athanor resume`: go on with a study by its name or folder, with the config that it was begun with.
import type { ComponentRef } from '@athanor/core/plugin';
import { executorOptions } from '../executors/choose.ts';
import { openRegistry } from '../plugins/open.ts';
import { findStudy } from '../run/study.ts';
import { defineCommand } from './command.ts';
import { work } from './work.ts';

export const resume = defineCommand({
  usage: 'resume <run>',
  summary: 'go on with a run that was stopped or killed',
  positionals: { run: { type: 'string', demandOption: true, describe: 'name or folder' } },
  options: executorOptions,
  run: async (words, context) => {
    const study = findStudy(words.run, context.runs);
    const backends = study.runs.map(({ config }) => config.backend).filter((ref): ref is ComponentRef => ref !== undefined);
    return work(study, await openRegistry(study.record, backends), context, words);
  },
});
