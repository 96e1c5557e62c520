// An experiment in JavaScript or TypeScript: a module whose default export is the config. Mistakes name the key's path.
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { enableTypeScript } from '../plugins/typescript.ts';
import type { ConfigDocument, Mistake, Path } from './document.ts';
import { isBlock, pathText } from './paths.ts';

export const modulePattern = /\.[mc]?[jt]s$/;

/**
 * Imports a config. What is no plain data (a function, a class's instance, a date) and a default
 * export that is no block of keys are mistakes; nothing is thrown.
 */
export async function importConfig(path: string, file: string): Promise<ConfigDocument> {
  const place = (at: Path) => (at.length === 0 ? file : `${file} ${pathText(at)}:`);
  const mistakes: Mistake[] = [];
  let value: Record<string, unknown> = {};
  try {
    if (path.endsWith('ts')) enableTypeScript();
    const module: unknown = await import(/* @vite-ignore */ currentUrl(path));
    const exported = isBlock(module) ? module['default'] : undefined;
    if (isBlock(exported)) {
      mistakes.push(...notPlain(exported, []).map(({ at, what }) => ({ place: place(at), message: `${what} is no plain data` })));
      value = exported;
    } else {
      mistakes.push({ place: file, message: 'its default export must be the experiment: export default { … }' });
    }
  } catch (error) {
    mistakes.push({ place: file, message: `failed while loading: ${error instanceof Error ? error.message : String(error)}` });
  }
  return {
    file,
    mistakes,
    value: mistakes.length === 0 ? (JSON.parse(JSON.stringify(value)) as Record<string, unknown>) : {},
    // Messages about values begin with their path already.
    locate: (at, what) => (what === 'key' ? place(at) : file),
  };
}

const imported = new Map<string, number>();

/** A URL that Node has not imported in an earlier state: modules are kept by their URL. */
function currentUrl(path: string): string {
  const { mtimeMs } = statSync(path);
  const { href } = pathToFileURL(path);
  const first = imported.get(path) ?? mtimeMs;
  imported.set(path, first);
  return first === mtimeMs ? href : `${href}?${mtimeMs}`;
}

function notPlain(value: unknown, at: Path): { at: Path; what: string }[] {
  if (Array.isArray(value)) return value.flatMap((entry, index) => notPlain(entry, [...at, index]));
  if (isBlock(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    // An object of another realm has another Object.prototype, which itself has none above it.
    const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (!plain) return [{ at, what: `a ${value.constructor.name}` }];
    return Object.entries(value).flatMap(([key, child]) => notPlain(child, [...at, key]));
  }
  switch (typeof value) {
    case 'function':
    case 'symbol':
    case 'bigint':
      return [{ at, what: `a ${typeof value}` }];
    case 'number':
      return Number.isFinite(value) ? [] : [{ at, what: String(value) }];
    default:
      return [];
  }
}
