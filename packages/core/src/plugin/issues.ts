// zod's issues as sentences for people: one for each unknown key, the nearest word, the value that was given.
import type * as z from 'zod';
import { didYouMean } from './nearest.ts';
import { knownKeys, schemasAt } from './schema.ts';
import type { Schema } from './schema.ts';

/** One mistake in a config. */
export interface ConfigIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Whether the mistake is the key itself or what stands under it. */
  readonly at: 'key' | 'value';
}

/** Every mistake that `schema` found, in the order of the config. */
export function explainIssues(error: z.core.$ZodError, schema: Schema): ConfigIssue[] {
  return error.issues.flatMap((issue) => explainIssue(issue, schema));
}

function explainIssue(issue: z.core.$ZodIssue, schema: Schema): ConfigIssue[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = schemasAt(schema, path).flatMap(knownKeys);
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key ${JSON.stringify(key)}${didYouMean(key, known) || listed('known keys', known)}`,
        at: 'key',
      }));
    }
    case 'invalid_union':
      return explainUnion(issue, schema);
    case 'invalid_value': {
      const values = issue.values.map(String);
      const given = issue.input;
      const near = typeof given === 'string' ? didYouMean(given, values) : '';
      const expected = issue.values.map((value) => show(value)).join(', ');
      const message =
        given === undefined ? `missing; expected one of ${expected}` : `${show(given)} is not one of ${expected}${near}`;
      return [{ path, message, at: 'value' }];
    }
    case 'invalid_type': {
      const endless = issue.expected === 'number' && typeof issue.input === 'number' && !Number.isNaN(issue.input);
      const expected = endless ? 'a finite number' : article(issue.expected);
      const message = issue.input === undefined ? `missing; expected ${expected}` : `expected ${expected}, got ${show(issue.input)}`;
      return [{ path, message, at: 'value' }];
    }
    case 'too_small':
      return [{ path, message: bounded(issue, issue.minimum, issue.inclusive === false ? 'more than' : 'at least'), at: 'value' }];
    case 'too_big':
      return [{ path, message: bounded(issue, issue.maximum, issue.inclusive === false ? 'less than' : 'at most'), at: 'value' }];
    case 'not_multiple_of':
      return [{ path, message: `must be a multiple of ${issue.divisor}, got ${show(issue.input)}`, at: 'value' }];
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return [{ path, message: issue.message, at: 'value' }];
    default:
      return [{ path, message: 'is not valid', at: 'value' }];
  }
}

/** Of a union, the option that came nearest speaks: the one whose first mistake lies deepest. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, schema: Schema): ConfigIssue[] {
  const options = issue.errors.filter((option) => option.length > 0);
  const depth = (option: readonly z.core.$ZodIssue[]) => {
    const reached = option.map(({ code, path }) => path.length + (code === 'invalid_type' ? 0 : 1));
    return Math.max(0, ...reached);
  };
  const deepest = options.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (deepest === undefined || depth(deepest) === 0) {
    const expected = options.flat().map((inner) => (inner.code === 'invalid_type' ? article(inner.expected) : undefined));
    const kinds = [...new Set(expected.filter((kind) => kind !== undefined))];
    const plain = kinds.length > 0 && issue.message === 'Invalid input';
    const message = plain ? `expected ${kinds.join(' or ')}, got ${show(issue.input)}` : issue.message;
    return [{ path: issue.path, message, at: 'value' }];
  }
  return deepest.flatMap((inner) => explainIssue({ ...inner, path: [...issue.path, ...inner.path] }, schema));
}

function bounded(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, limit: number | bigint, words: string): string {
  switch (issue.origin) {
    case 'string':
      return limit === 1 && issue.code === 'too_small' ? 'must not be empty' : `must have ${words} ${limit} characters`;
    case 'array':
    case 'set':
    case 'map':
      return `must have ${words} ${limit} ${limit === 1 ? 'entry' : 'entries'}${issue.code === 'too_big' && Array.isArray(issue.input) ? `, got ${issue.input.length}` : ''}`;
    default:
      return `must be ${words} ${limit}, got ${show(issue.input)}`;
  }
}

function article(expected: string): string {
  switch (expected) {
    case 'int':
    case 'safeint':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'record':
    case 'object':
      return 'a block of keys';
    case 'string':
      return 'a text';
    case 'undefined':
    case 'null':
      return 'nothing';
    default:
      return `a ${expected}`;
  }
}

function listed(label: string, words: readonly string[]): string {
  if (words.length === 0) return ' (there are no keys here)';
  return ` (${label}: ${[...new Set(words)].toSorted().join(', ')})`;
}

function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
