// `athanor resume`: go on with a study by its name or folder, with the config that it was begun with.
import { Registry } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { addBackend } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { loadPlugin } from '../plugins/load.ts';
import { findStudy } from '../run/study.ts';
import { defineCommand } from './command.ts';
import { work } from './work.ts';

export const resume = defineCommand({
  usage: 'resume <run>',
  summary: 'go on with a run that was stopped or killed',
  positionals: { run: { type: 'string', demandOption: true, describe: 'name or folder' } },
  run: async (words, context) => {
    const study = findStudy(words.run, context.runs);
    const { plugins, file } = study.record;
    const registry = new Registry(builtinPlugins);
    for (const specifier of plugins) {
      const plugin = await loadPlugin(specifier, file);
      if (!builtinPlugins.some(({ name: builtin }) => builtin === plugin.name)) registry.add(plugin);
    }
    const backends = study.runs.map(({ config }) => config.backend).filter((ref): ref is ComponentRef => ref !== undefined);
    for (const backend of backends) await addBackend(backend, registry, file);
    await work(study, registry, context);
  },
});
