// `${references}` in a config: to a sweep's variable (`${norm}`), the seed, or another place (`${train.batch}`).
import { didYouMean } from '@athanor/core/plugin';
import type { Path } from './document.ts';
import { isBlock, parsePath, pathText, valueAt } from './paths.ts';

/** A value that a reference may name, and where in the file it was written. */
export interface Variable {
  readonly value: unknown;
  readonly source?: Path;
}

export interface Substituted {
  readonly value: unknown;
  readonly mistakes: readonly { readonly path: Path; readonly message: string }[];
  /** Path of a substituted value → path where it was written. */
  readonly sources: ReadonlyMap<string, Path>;
  /** Names of the variables that were used. */
  readonly used: ReadonlySet<string>;
}

const reference = /\$\$\{|\$\{([^{}]*)\}/g;

/**
 * Replaces every reference. A text that is nothing but one reference becomes the value itself,
 * whatever its type; inside a longer text it is written out. `$${` stands for `${`.
 */
export function substitute(config: Record<string, unknown>, variables: ReadonlyMap<string, Variable>): Substituted {
  const mistakes: { path: Path; message: string }[] = [];
  const sources = new Map<string, Path>();
  const used = new Set<string>();
  const circles = new Set<string>();

  function lookUp(name: string, path: Path, open: readonly string[]): unknown {
    const variable = variables.get(name);
    if (variable !== undefined) {
      used.add(name);
      if (variable.source !== undefined) sources.set(pathText(path), variable.source);
      return variable.value;
    }
    const target = parsePath(name);
    const found = valueAt(config, target);
    if (found === undefined) {
      const known = [...variables.keys(), ...Object.keys(config), ...leaves(config)];
      const near = didYouMean(name, known) || ' (it may be a variable of the sweep, the seed, or a place such as train.batch)';
      mistakes.push({ path, message: `\${${name}} names nothing${near}` });
      return undefined;
    }
    if (open.includes(name)) {
      const members = open.slice(open.indexOf(name));
      const known = circles.has(members.toSorted().join(' '));
      circles.add(members.toSorted().join(' '));
      if (!known) mistakes.push({ path, message: `the reference goes in a circle: ${[...members, name].join(' → ')}` });
      return undefined;
    }
    sources.set(pathText(path), target);
    return walk(found, target, [...open, name]);
  }

  function walk(value: unknown, path: Path, open: readonly string[]): unknown {
    if (Array.isArray(value)) return value.map((entry, index) => walk(entry, [...path, index], open));
    if (isBlock(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, walk(child, [...path, key], open)]));
    }
    if (typeof value !== 'string') return value;
    const whole = /^\$\{([^{}]*)\}$/.exec(value)?.[1];
    if (whole !== undefined) return lookUp(whole.trim(), path, open);
    if (value.replaceAll(reference, '').includes('${')) {
      mistakes.push({ path, message: `a \${ is not closed in ${JSON.stringify(value)}: write \${name}, or $\${ for the characters themselves` });
      return value;
    }
    return value.replaceAll(reference, (match, name: string | undefined) => {
      if (name === undefined) return '${';
      const part = lookUp(name.trim(), path, open);
      sources.delete(pathText(path));
      if (typeof part === 'object' && part !== null) {
        mistakes.push({ path, message: `${match} is a list or block, which cannot stand inside a text` });
      }
      return String(part);
    });
  }

  return { value: walk(config, [], []), mistakes, sources, used };
}

function leaves(value: unknown, path: readonly string[] = []): string[] {
  if (Array.isArray(value) || !isBlock(value)) return [path.join('.')];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}
