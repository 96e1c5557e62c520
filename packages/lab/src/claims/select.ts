// Which variants a claim speaks of: selectors against the values of a sweep.
import { didYouMean } from '@athanor/core/plugin';
import { formatValues } from '../terminal/format.ts';
import { formOf } from './schema.ts';
import type { Claim, Selector } from './schema.ts';

/** What a selector is compared with: a variant's variables and their values. */
export interface Selectable {
  readonly values: Readonly<Record<string, unknown>>;
}

/** A mistake in a claim; `path` counts from the list of claims. */
export interface ClaimMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The variants that have all of the selector's values. A text also stands for a component of that
 * name: `batch` for `{ name: batch, eps: 0.001 }`.
 */
export function select<T extends Selectable>(variants: readonly T[], selector: Selector): T[] {
  return variants.filter(({ values }) => Object.entries(selector).every(([name, value]) => Object.hasOwn(values, name) && matches(values[name], value)));
}

/** The one variant that a selector names: the only match, or the only one that has no variables besides. */
export function selectOne<T extends Selectable>(variants: readonly T[], selector: Selector): T | undefined {
  const found = select(variants, selector);
  const alone = found.filter(({ values }) => Object.keys(values).length === Object.keys(selector).length);
  return found.length === 1 ? found[0] : alone.length === 1 ? alone[0] : undefined;
}

/** Selectors that do not name what they must: one variant each, or at least one to count. Jobs of several seeds count once. */
export function claimMistakes(claims: readonly Claim[], jobs: readonly Selectable[]): ClaimMistake[] {
  const variants = [...new Map(jobs.map((job) => [show(job.values), job])).values()];
  return claims.flatMap(({ expect }, index) => {
    const form = formOf(expect);
    const keys = [form, 'than', 'to'] as const;
    return keys.flatMap((key) => {
      const selector = expect[key];
      if (selector === undefined) return [];
      return selectorMistakes(selector, variants, { several: key === 'count' }).map(({ path, message }) => ({ path: [index, 'expect', key, ...path], message }));
    });
  });
}

function selectorMistakes(selector: Selector, variants: readonly Selectable[], { several }: { several: boolean }): ClaimMistake[] {
  const names = [...new Set(variants.flatMap(({ values }) => Object.keys(values)))];
  const wrong = Object.entries(selector).flatMap(([name, value]): ClaimMistake[] => {
    if (!names.includes(name)) {
      const known = names.length === 0 ? ': there is no sweep' : ` (variables: ${names.join(', ')})`;
      return [{ path: [name], message: `${JSON.stringify(name)} is no variable of the sweep${didYouMean(name, names) || known}` }];
    }
    const present = variants.filter(({ values }) => Object.hasOwn(values, name)).map(({ values }) => values[name]);
    if (present.some((candidate) => matches(candidate, value))) return [];
    const texts = [...new Set(present.map(show))];
    return [{ path: [name], message: `no variant has ${name} = ${show(value)}${didYouMean(show(value), texts) || ` (values: ${listed(texts)})`}` }];
  });
  if (wrong.length > 0) return wrong;
  const found = select(variants, selector);
  if (found.length === 0) return [{ path: [], message: `no variant has these values together` }];
  if (several || selectOne(variants, selector) !== undefined) return [];
  const free = names.filter((name) => !Object.hasOwn(selector, name) && new Set(found.map(({ values }) => show(values[name]))).size > 1);
  const examples = listed(found.map(({ values }) => formatValues(values)));
  return [{ path: [], message: `${found.length} variants have these values (${examples})${free.length === 0 ? '' : `: say ${free.join(', ')} too`}` }];
}

function matches(value: unknown, wanted: unknown): boolean {
  if (show(value) === show(wanted)) return true;
  return typeof wanted === 'string' && typeof value === 'object' && value !== null && 'name' in value && value.name === wanted;
}

/** Text of a value, the same however the keys of a block are ordered. */
function show(value: unknown): string {
  if (typeof value === 'string') return value;
  return (
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? String(value)
  );
}

function listed(texts: readonly string[], most = 4): string {
  return texts.length <= most ? texts.join(', ') : `${texts.slice(0, most).join(', ')}, …`;
}
