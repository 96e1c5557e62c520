// Which packages of ours are installed beside a folder, and their versions.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import { Registry } from '@athanor/core/plugin';
import type { Plugin } from '@athanor/core/plugin';
import { builtinPlugins } from './builtin.ts';
import { PluginNotFound, loadPlugin } from './load.ts';

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

/** Versions of the packages that take part in a run, for its record. */
export function computingPackages(folder: string): Record<string, string> {
  const computing = installedPackages(folder).filter(({ name, plugin }) => plugin || name === '@athanor/core' || name === '@athanor/lab');
  return Object.fromEntries(computing.map(({ name, version }) => [name, version]));
}

/** What could be loaded, and what could not. */
export interface Installed {
  readonly registry: Registry;
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}

/**
 * A registry of the built-in plugins, those installed beside `folder`, and the named ones. An
 * installed one that does not load is told; a named one is an error.
 */
export async function installedRegistry(folder: string, named: readonly string[]): Promise<Installed> {
  const registry = new Registry(builtinPlugins);
  const failures: { name: string; message: string }[] = [];
  const known = new Set(builtinPlugins.map(({ name }) => name));
  for (const { name, plugin } of installedPackages(folder)) {
    if (!plugin || known.has(name) || named.includes(name)) continue;
    try {
      registry.add(await loadNear(name, folder));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push({ name, message: error.message });
    }
  }
  for (const specifier of named) registry.add(await loadPlugin(specifier, join(folder, 'any.yaml')));
  return { registry, failures };
}

/** From the folder, or from beside the lab. */
async function loadNear(name: string, folder: string): Promise<Plugin> {
  try {
    return await loadPlugin(name, join(folder, 'any.yaml'));
  } catch (error) {
    if (error instanceof PluginNotFound) return loadPlugin(name, fileURLToPath(import.meta.url));
    throw error;
  }
}

function describe(file: string): InstalledPackage {
  const { name, version, keywords } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string; keywords?: unknown };
  return { name, version, plugin: Array.isArray(keywords) && keywords.includes('athanor-plugin') };
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
