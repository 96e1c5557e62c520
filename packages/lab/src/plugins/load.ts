// Finding and importing plugins: packages and files, resolved from the experiment that names them.
import { existsSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { UserError } from '@athanor/core';
import type { Plugin } from '@athanor/core/plugin';
import { moduleResolve } from 'import-meta-resolve';
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
    throw new UserError(`plugin ${JSON.stringify(specifier)} failed while loading: ${reason}`, { cause: error });
  }
  if (!isPlugin(exported)) {
    throw new UserError(`${JSON.stringify(specifier)} exports no plugin`, {
      remedy: 'its default export must be definePlugin({ name, components })',
    });
  }
  return exported;
}

/** URL of the file that Node would import for `specifier` from `file`. Throws a PluginNotFound if there is none. */
export function locatePlugin(specifier: string, file: string): string {
  const local = /^[./]/.test(specifier);
  const url = tryResolve(specifier, file);
  if (url?.protocol === 'file:' && existsSync(url) && statSync(url).isFile()) return url.href;
  throw new PluginNotFound(`cannot find plugin ${JSON.stringify(specifier)}`, {
    remedy: local ? 'the path is taken from the folder of the experiment file' : `npm install ${specifier}`,
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

function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'name' in value && 'components' in value && Array.isArray(value.components);
}
