// `key=value` words of the command line, laid over a config.
import { parseDocument } from 'yaml';
import type { Mistake, Path } from './document.ts';
import { isBlock, parsePath, valueAt, withValueAt } from './paths.ts';

export interface Override {
  /** The word as it was typed. */
  readonly word: string;
  readonly path: Path;
  readonly value: unknown;
}

/** Reads `train.steps=10`; the value is YAML, so `[1, 2]`, `true` and `{ name: sgd }` work. */
export function parseOverride(word: string): Override | Mistake {
  const place = `command line ${JSON.stringify(word)}`;
  const equals = word.indexOf('=');
  if (equals < 1) return { place, message: 'expected key=value, for example train.steps=10' };
  const key = word.slice(0, equals);
  if (!/^[\w-]+(\.[\w-]+)*$/.test(key)) return { place, message: `${JSON.stringify(key)} is not a key such as train.steps` };
  const document = parseDocument(word.slice(equals + 1), { prettyErrors: false });
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) return { place, message: error.message.split('\n')[0] ?? error.code };
  return { word, path: parsePath(key), value: document.toJS() as unknown };
}

export interface Overridden {
  /** The overrides that were laid over, each with the path that it really set. */
  readonly applied: readonly Override[];
  readonly value: Record<string, unknown>;
  readonly mistakes: readonly Mistake[];
}

/**
 * Lays overrides over a config, in order. A key that the sweep varies (`norm=batch`) pins that
 * variable to the value.
 */
export function applyOverrides(config: Record<string, unknown>, overrides: readonly Override[]): Overridden {
  const mistakes: Mistake[] = [];
  const applied: Override[] = [];
  let value = config;
  for (const { word, path, value: given } of overrides) {
    const swept = sweptPath(value, path);
    const target = swept ?? path;
    const problem = blockedAt(value, target);
    if (problem === undefined) {
      value = withValueAt(value, target, swept === undefined ? given : [given]) as Record<string, unknown>;
      applied.push({ word, path: target, value: given });
    } else {
      mistakes.push({ place: `command line ${JSON.stringify(word)}`, message: problem });
    }
  }
  return { value, applied, mistakes };
}

/** Where the sweep lists the values of a variable, when `path` names one. */
export function sweptPath(config: Record<string, unknown>, path: Path): Path | undefined {
  const name = path.join('.');
  const sweep = config['sweep'];
  if (!isBlock(sweep)) return undefined;
  const way = Object.keys(sweep).find((key) => isBlock(sweep[key]) && Object.hasOwn(sweep[key], name));
  return way === undefined ? undefined : ['sweep', way, name];
}

function blockedAt(root: unknown, path: Path): string | undefined {
  for (let depth = 0; depth < path.length; depth++) {
    const parent = valueAt(root, path.slice(0, depth));
    const key = path[depth];
    const where = path.slice(0, depth).join('.') || 'the config';
    if (Array.isArray(parent)) {
      if (typeof key !== 'number') return `${where} is a list: write an index, such as ${where}.0`;
      if (key >= parent.length) return `${where} has ${parent.length} ${parent.length === 1 ? 'entry' : 'entries'}, so ${key} is none of them`;
    } else if (parent !== undefined && parent !== null && !isBlock(parent) && typeof parent !== 'string') {
      return `${where} is ${JSON.stringify(parent)}, which has no ${JSON.stringify(String(key))}`;
    }
  }
  return undefined;
}
