// Which packages of ours are installed beside a folder, and their versions.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Registry } from '@athanor/core/plugin';
import { builtinPlugins } from './builtin.ts';
import { loadPlugin } from './load.ts';

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Whether its package.json says `"keywords": ["athanor-plugin"]`. */
  readonly plugin: boolean;
}

/** The packages `@athanor/*` that Node finds from `folder` or from the lab itself, by name. */
export function installedPackages(folder: string): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  for (const start of [folder, dirname(fileURLToPath(import.meta.url))]) {
    for (let at = start; ; at = dirname(at)) {
      for (const name of namesIn(join(at, 'node_modules', '@athanor'))) {
        const file = join(at, 'node_modules', '@athanor', name, 'package.json');
        if (existsSync(file) && !found.has(`@athanor/${name}`)) found.set(`@athanor/${name}`, describe(file));
      }
      if (at === dirname(at)) break;
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A registry of the built-in plugins, those installed beside `folder`, and the named ones. */
export async function installedRegistry(folder: string, named: readonly string[]): Promise<Registry> {
  const registry = new Registry(builtinPlugins);
  const known = new Set(builtinPlugins.map(({ name }) => name));
  const installed = installedPackages(folder).filter(({ plugin }) => plugin);
  const lab = fileURLToPath(import.meta.url);
  for (const specifier of [...installed.map(({ name }) => name), ...named]) {
    if (known.has(specifier)) continue;
    known.add(specifier);
    const plugin = await loadPlugin(specifier, join(folder, 'any.yaml')).catch((error: unknown) => {
      if (named.includes(specifier)) throw error;
      return loadPlugin(specifier, lab);
    });
    registry.add(plugin);
  }
  return registry;
}

function describe(file: string): InstalledPackage {
  const { name, version, keywords } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string; keywords?: unknown };
  return { name, version, plugin: Array.isArray(keywords) && keywords.includes('athanor-plugin') };
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
