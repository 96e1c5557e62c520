// Where a value of a config comes from: a file, the sweep's list, the quick form, or a word of the command line.
import type { ConfigIssue } from '@athanor/core/plugin';
import type { ConfigDocument, Mistake, Path } from './document.ts';
import type { Override } from './overrides.ts';
import { pathText, valueAt } from './paths.ts';

/** Tells the place of what stands at a path. `sources`: path of a substituted value → path where it was written. */
export type Place = (path: Path, at: 'key' | 'value', sources?: ReadonlyMap<string, Path>) => string;

/** The places of a config that overrides were laid over. */
export function placer(document: ConfigDocument, overrides: readonly Override[]): Place {
  return (path, at, sources = new Map()) => {
    let origin = path;
    for (let hop = 0; hop < 20; hop++) {
      const moved = throughSource(origin, sources);
      if (moved === undefined) break;
      origin = moved;
    }
    const inside = overrides.findLast((word) => startsWith(origin, word.path));
    if (inside !== undefined) return placeOf(inside.from, document, origin.slice(inside.path.length), at);
    const absent = [origin, origin.slice(0, -1)].filter((parent) => valueAt(document.value, parent) === undefined);
    const above = absent.map((parent) => overrides.findLast((word) => startsWith(word.path, parent))).find((word) => word !== undefined);
    return above === undefined ? document.locate(origin, at) : placeOf(above.from, document, [], at);
  };
}

/** Where an override was written; `inside` goes on from its value. */
export function placeOf(from: Override['from'], document: ConfigDocument, inside: Path = [], at: 'key' | 'value' = 'key'): string {
  return 'word' in from ? `command line ${JSON.stringify(from.word)}` : document.locate(['quick', from.quick, ...inside], at);
}

/** A mistake with its place; what is wrong with a value begins with the value's path. */
export function placed(issue: ConfigIssue, place: Place, path: Path = issue.path as Path, sources?: ReadonlyMap<string, Path>): Mistake {
  const message = issue.at === 'key' || path.length === 0 ? issue.message : `${pathText(path)}: ${issue.message}`;
  return { place: place(path, issue.at, sources), message };
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, index) => path[index] === key);
}

function throughSource(path: Path, sources: ReadonlyMap<string, Path>): Path | undefined {
  for (let length = path.length; length > 0; length--) {
    const source = sources.get(pathText(path.slice(0, length)));
    if (source !== undefined) return [...source, ...path.slice(length)];
  }
  return undefined;
}
