// The components of a study that was written to disk earlier.
import { Registry } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { addBackend } from '../config/load.ts';
import type { StudyRecord } from '../run/study.ts';
import { builtinPlugins } from './builtin.ts';
import { loadPlugin } from './load.ts';

/** The lab's plugins, those that the study names, and the packages of its backends. */
export async function openRegistry({ plugins, file }: StudyRecord, backends: readonly ComponentRef[]): Promise<Registry> {
  const registry = new Registry(builtinPlugins);
  for (const specifier of plugins) {
    const plugin = await loadPlugin(specifier, file);
    if (!builtinPlugins.some(({ name }) => name === plugin.name)) registry.add(plugin);
  }
  for (const backend of backends) await addBackend(backend, registry, file);
  return registry;
}
