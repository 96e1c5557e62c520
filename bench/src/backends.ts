// The backends that can be measured, by name. Their packages are loaded when they are asked for.
import { UserError } from '@athanor/core';
import { referenceBackend, type Backend } from '@athanor/core/backend';
import { Registry, type Plugin } from '@athanor/core/plugin';

const packages: Readonly<Record<string, string>> = {
  wasm: '@athanor/backend-wasm',
  cpu: '@athanor/backend-cpu',
  native: '@athanor/backend-native',
};

interface BackendPackage {
  readonly default?: Plugin;
  readonly enableEngineFeatures?: () => unknown;
}

async function load(name: string): Promise<BackendPackage> {
  const path = packages[name] ?? name;
  try {
    return (await import(path)) as BackendPackage;
  } catch (error) {
    throw new UserError(`backend ${name}: ${path} cannot be loaded (${error instanceof Error ? error.message : String(error)})`, {
      remedy: 'choose another --backend',
    });
  }
}

/** A fresh backend. `threads` goes to those that have threads; the others have one. */
export async function makeBackend(name: string, threads: number): Promise<Backend> {
  if (name === 'reference') return referenceBackend();
  const { default: plugin } = await load(name);
  if (plugin === undefined) throw new UserError(`backend ${name} is not a plugin`, { remedy: 'choose another --backend' });
  const registry = new Registry();
  registry.add(plugin);
  const takesThreads = registry.get('backend', name).schema.safeParse({ threads }).success;
  return await registry.make('backend', { name, ...(takesThreads ? { threads } : {}) });
}

/** Turns on experimental features of the JavaScript engine for this process. Must come before the first backend. */
export async function enableEngineFeatures(): Promise<void> {
  const { enableEngineFeatures: enable } = await load('wasm');
  if (enable === undefined) throw new UserError('--engine-features: the wasm backend has none', { remedy: 'leave the option out' });
  await enable();
}
