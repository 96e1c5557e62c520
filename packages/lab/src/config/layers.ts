// An experiment file and those that it extends, laid one over the other, with the place of every key.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { parseConfig } from './document.ts';
import type { ConfigDocument, Mistake, Path } from './document.ts';
import { importConfig, modulePattern } from './module.ts';
import { isBlock, valueAt } from './paths.ts';
import { shownPath } from './shown-path.ts';
import { sweepWays } from './sweep.ts';

export interface LayeredConfig extends ConfigDocument {
  /** Absolute path of the file that says what stands at `path`. */
  fileOf(path: Path): string;
}

interface Layer {
  readonly path: string;
  readonly document: ConfigDocument;
}

/**
 * Reads a file and, under it, those of its `extends`, the last one uppermost. Blocks merge; lists
 * and scalars replace, and so do a component of another name and a sweep of another way.
 */
export async function readLayers(path: string): Promise<LayeredConfig> {
  const mistakes: Mistake[] = [];
  const layers = await readWithBases(path, [], mistakes);
  const value = layers.reduce<Record<string, unknown>>((below, { document }) => merge(below, document.value, []) as Record<string, unknown>, {});
  delete value['extends'];
  const top = layers.at(-1);
  const owner = (at: Path): Layer | undefined => {
    for (let length = at.length; length >= 0; length--) {
      const prefix = at.slice(0, length);
      if (valueAt(value, prefix) === undefined) continue;
      return layers.findLast(({ document }) => valueAt(document.value, prefix) !== undefined) ?? top;
    }
    return top;
  };
  return {
    file: shownPath(path),
    value,
    mistakes,
    locate: (at, what) => owner(at)?.document.locate(at, what) ?? shownPath(path),
    fileOf: (at) => owner(at)?.path ?? path,
  };
}

/** The nearest names of experiments beside one that is not there. */
export function nearFiles(path: string): string {
  const folder = dirname(path);
  const present = existsSync(folder) ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) || modulePattern.test(name)) : [];
  return didYouMean(basename(path), present);
}

/** The layers from the lowest to the file itself. */
async function readWithBases(path: string, open: readonly string[], mistakes: Mistake[]): Promise<Layer[]> {
  const shown = shownPath(path);
  const document = modulePattern.test(path) ? await importConfig(path, shown) : parseConfig(readText(path, shown), shown);
  mistakes.push(...document.mistakes);
  const bases = document.value['extends'];
  const layers: Layer[] = [];
  if (bases !== undefined && !(Array.isArray(bases) && bases.every((base) => typeof base === 'string'))) {
    mistakes.push({ place: document.locate(['extends'], 'value'), message: 'extends: expected a list of files' });
  } else {
    for (const [index, base] of ((bases ?? []) as string[]).entries()) {
      const target = resolve(dirname(path), base);
      const wrong = (message: string) => mistakes.push({ place: document.locate(['extends', index], 'value'), message: `extends.${index}: ${message}` });
      if ([...open, path].includes(target)) wrong(`goes in a circle: ${[...open, path, target].map((file) => basename(file)).join(' → ')}`);
      else if (!existsSync(target)) wrong(`there is no file ${base}${nearFiles(target)}`);
      else layers.push(...(await readWithBases(target, [...open, path], mistakes)));
    }
  }
  return [...layers, { path, document }];
}

/** A file's text. Throws a UserError where there is none: for a folder, and for bytes that are no UTF-8. */
function readText(path: string, shown: string): string {
  if (statSync(path).isDirectory()) throw new UserError(`${shown} is a folder`, { remedy: 'name a file in it' });
  const bytes = readFileSync(path);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Told below.
  }
  throw new UserError(`${shown} is no text in UTF-8`, { remedy: 'an experiment is a YAML file, or a module that ends in .ts or .js' });
}

function merge(below: unknown, above: unknown, path: Path): unknown {
  if (!isBlock(above)) return above;
  const base = isBlock(below) ? below : typeof below === 'string' && !('name' in above) ? { name: below } : undefined;
  if (base === undefined) return above;
  const named = (block: Record<string, unknown>) => block['name'];
  if (path.length > 0 && typeof named(above) === 'string' && named(base) !== named(above)) return above;
  const kept = path.length === 1 && path[0] === 'sweep' ? withoutOtherWays(base, above) : base;
  const merged: Record<string, unknown> = { ...kept };
  for (const [key, value] of Object.entries(above)) merged[key] = merge(kept[key], value, [...path, key]);
  return merged;
}

function withoutOtherWays(base: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const ways: readonly string[] = sweepWays;
  if (!ways.some((way) => way in above)) return base;
  return Object.fromEntries(Object.entries(base).filter(([key]) => !ways.includes(key) || key in above));
}
