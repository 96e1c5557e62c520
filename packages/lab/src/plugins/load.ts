// Finding and importing plugins: packages and files, resolved from the experiment that names them.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '@athanor/core';
import type { Plugin } from '@athanor/core/plugin';
import { moduleResolve } from 'import-meta-resolve';
import { shownPath } from '../config/shown-path.ts';
import { enableTypeScript } from './typescript.ts';

/** There is no such package or file; a plugin that is there but broken is another error. */
export class PluginNotFound extends UserError {}

/**
 * Imports the plugin that `specifier` names, as Node would from `file`: a package
 * (`@athanor/norm`) or a file (`./my-norm.ts`). Throws a UserError if it is not there, fails
 * while loading, or exports no plugin.
 */
export async function loadPlugin(specifier: string, file: string): Promise<Plugin> {
  const url = locatePlugin(specifier, file);
  if (/\.[mc]?tsx?$/.test(new URL(url).pathname)) enableTypeScript();
  let exported: unknown;
  try {
    const module: unknown = await import(/* @vite-ignore */ url);
    exported = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`plugin ${JSON.stringify(specifier)} failed while loading: ${reason}${placeOfSyntaxError(error, url)}`, { cause: error });
  }
  if (!isPlugin(exported)) {
    throw new UserError(`${JSON.stringify(specifier)} exports no plugin`, {
      remedy: 'its default export must be definePlugin({ name, components })',
    });
  }
  for (const [index, component] of exported.components.entries()) checkComponent(component, index, specifier);
  return exported;
}

/** URL of the file that Node would import for `specifier` from `file`. Throws a PluginNotFound if there is none. */
export function locatePlugin(specifier: string, file: string): string {
  const local = /^[./]/.test(specifier);
  const url = tryResolve(specifier, file);
  if (url?.protocol === 'file:' && existsSync(url) && statSync(url).isFile()) return url.href;
  throw new PluginNotFound(`cannot find plugin ${JSON.stringify(specifier)}`, {
    remedy: local ? `looked for ${shownPath(resolve(dirname(file), specifier))}` : `npm install ${specifier}`,
  });
}

function tryResolve(specifier: string, file: string): URL | undefined {
  try {
    return moduleResolve(specifier, pathToFileURL(file), conditions());
  } catch {
    return undefined;
  }
}

/** Node's own conditions and those that this process was started with. */
function conditions(): Set<string> {
  const words = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  const given = words.flatMap((word, index) => {
    if (word === '-C' || word === '--conditions') return words[index + 1] ?? [];
    return /^(?:-C|--conditions)=(.+)$/.exec(word)?.[1] ?? [];
  });
  return new Set(['node', 'import', ...given]);
}

/** Where Node finds a syntax error, which its error does not say: it is asked to check the file alone. */
function placeOfSyntaxError(error: unknown, url: string): string {
  if (!(error instanceof SyntaxError) || !/\.[mc]?js$/.test(new URL(url).pathname)) return '';
  const path = fileURLToPath(url);
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 10_000 });
  const line = /^.*:(\d+)\n/.exec(stderr)?.[1];
  return line === undefined ? '' : ` (${shownPath(path)}:${line})`;
}

/** Throws a UserError unless a component has all that the registry calls. */
function checkComponent(component: unknown, index: number, specifier: string): void {
  const part = (key: string): unknown => (typeof component === 'object' && component !== null ? (component as Record<string, unknown>)[key] : undefined);
  const schema = part('schema');
  const missing = [
    ...(['kind', 'name'] as const).filter((key) => typeof part(key) !== 'string' || part(key) === ''),
    ...(typeof schema === 'object' && schema !== null && '_zod' in schema && 'safeParse' in schema ? [] : ['zod schema']),
    ...(typeof part('create') === 'function' ? [] : ['create']),
  ];
  if (missing.length === 0) return;
  const name = typeof part('name') === 'string' && part('name') !== '' ? JSON.stringify(part('name')) : `${index + 1}`;
  throw new UserError(`plugin ${JSON.stringify(specifier)}: component ${name} has no ${missing.join(', no ')}`, {
    remedy: 'make it with component({ kind, name, summary, schema, create })',
  });
}

function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'name' in value && 'components' in value && Array.isArray(value.components);
}
