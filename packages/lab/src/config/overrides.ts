// Values laid over a config: `key=value` words of the command line, and what an experiment's `quick` says.
import { didYouMean } from '@athanor/core/plugin';
import { parseDocument } from 'yaml';
import type { Mistake, Path } from './document.ts';
import { isBlock, parsePath, valueAt, withValueAt } from './paths.ts';
import { wayOf } from './sweep.ts';
import { yamlMistakes } from './yaml-mistakes.ts';

export interface Override {
  /** The word as it was typed, or the key under `quick`. */
  readonly from: { readonly word: string } | { readonly quick: string };
  readonly path: Path;
  readonly value: unknown;
}

const keyPattern = /^[\w-]+(\.[\w-]+)*$/;

/** Reads `train.steps=10`; the value is YAML, so `[1, 2]`, `true` and `{ name: sgd }` work. */
export function parseOverride(word: string): Override | Mistake {
  const place = `command line ${JSON.stringify(word)}`;
  const equals = word.indexOf('=');
  if (equals < 1) return { place, message: 'expected key=value, for example train.steps=10' };
  const key = word.slice(0, equals);
  if (!keyPattern.test(key)) return { place, message: `${JSON.stringify(key)} is not a key such as train.steps` };
  const text = word.slice(equals + 1);
  const document = parseDocument(text, { prettyErrors: false });
  const [mistake] = yamlMistakes(document, text);
  if (mistake !== undefined) return { place, message: mistake.message };
  return { from: { word }, path: parsePath(key), value: document.toJS() as unknown };
}

/** What an experiment's `quick` lays over it. `locate` gives the place of a key under it. */
export function quickOverrides(quick: unknown, locate: (key: string) => string): { overrides: Override[]; mistakes: Mistake[] } {
  const entries = isBlock(quick) ? Object.entries(quick) : [];
  const wrong = entries.filter(([key]) => !keyPattern.test(key));
  return {
    overrides: entries.filter(([key]) => keyPattern.test(key)).map(([key, value]) => ({ from: { quick: key }, path: parsePath(key), value })),
    mistakes: wrong.map(([key]) => ({ place: locate(key), message: `${JSON.stringify(key)} is not a key such as train.steps` })),
  };
}

export interface Overridden {
  /** The overrides that were laid over, each with the path that it really set. */
  readonly applied: readonly Override[];
  readonly value: Record<string, unknown>;
  readonly mistakes: readonly { readonly from: Override['from']; readonly message: string }[];
}

/**
 * Lays overrides over a config, in order. A key that the sweep varies (`norm=batch`) pins that
 * variable to the value.
 */
export function applyOverrides(config: Record<string, unknown>, overrides: readonly Override[]): Overridden {
  const mistakes: { from: Override['from']; message: string }[] = [];
  const applied: Override[] = [];
  let value = config;
  for (const { from, path, value: given } of overrides) {
    const problem = blockedAt(value, path);
    const pins = pinned(value, path, given);
    if (pins.length === 0 && problem !== undefined) mistakes.push({ from, message: problem });
    for (const { path: target, value: content } of pins.length > 0 ? pins : problem === undefined ? [{ path, value: given }] : []) {
      value = withValueAt(value, target, content) as Record<string, unknown>;
      applied.push({ from, path: target, value: content });
    }
  }
  return { value, applied, mistakes };
}

/** What to set so that the sweep's variable of that name, if there is one, has one value only. */
function pinned(config: Record<string, unknown>, path: Path, given: unknown): { path: Path; value: unknown }[] {
  const name = path.join('.');
  const sweep = config['sweep'];
  const way = isBlock(sweep) ? wayOf(sweep) : undefined;
  if (!isBlock(sweep) || way === undefined) return [];
  if (way === 'list') {
    const entries: unknown[] = Array.isArray(sweep[way]) ? sweep[way] : [];
    return entries.flatMap((entry, index) => (isBlock(entry) && Object.hasOwn(entry, name) ? [{ path: ['sweep', way, index, name], value: given }] : []));
  }
  const block = way === 'random' || way === 'lhs' ? valueAt(sweep, [way, 'space']) : sweep[way];
  if (!isBlock(block) || !Object.hasOwn(block, name)) return [];
  const values = block[name];
  switch (way) {
    case 'grid':
      return [{ path: ['sweep', way, name], value: [given] }];
    case 'zip':
      return [{ path: ['sweep', way, name], value: Array.isArray(values) ? values.map(() => given) : [given] }];
    case 'random':
    case 'lhs':
      return [{ path: ['sweep', way, 'space', name], value: { choice: [given] } }];
  }
}

/** Why nothing can be set at `path`: a list has no such entry, or a value is no block. */
export function blockedAt(root: unknown, path: Path): string | undefined {
  for (let depth = 0; depth < path.length; depth++) {
    const parent = valueAt(root, path.slice(0, depth));
    const key = path[depth];
    const where = path.slice(0, depth).join('.') || 'the config';
    if (Array.isArray(parent)) {
      if (typeof key !== 'number') return `${where} is a list: write an index, such as ${where}.0`;
      if (key >= parent.length) return `${where} has ${parent.length} ${parent.length === 1 ? 'entry' : 'entries'}, so ${key} is none of them`;
    } else if (depth === 1 && path[0] === 'stages' && isBlock(parent) && path.length > 2 && !Object.hasOwn(parent, String(key))) {
      return `there is no stage ${JSON.stringify(String(key))}${didYouMean(String(key), Object.keys(parent)) || ` (stages: ${Object.keys(parent).join(', ')})`}`;
    } else if (parent !== undefined && parent !== null && !isBlock(parent) && typeof parent !== 'string') {
      return `${where} is ${JSON.stringify(parent)}, which has no ${JSON.stringify(String(key))}`;
    }
  }
  return undefined;
}
