// What a stage's outcome depends on: its config, the seed, the numerics, its plugins' code, its files and its inputs.
// Equal keys mean equal outcomes; of unequal ones, the parts say what changed.
import { findFiles, findReferences, splitRef } from '@athanor/core/plugin';
import type { ComponentRef, Registry } from '@athanor/core/plugin';
import { isBlock } from '../config/paths.ts';
import type { CodeVersions } from '../plugins/code.ts';
import { canonicalText, sha256 } from './canonical.ts';

export interface StageParts {
  /** The stage's name and config, all defaults filled in. */
  readonly config: ComponentRef;
  readonly seed: number;
  /** What can change bits of the backend; null without one. */
  readonly numerics: string | null;
  readonly code: CodeVersions;
  /** Files and folders that the config names → hash of their content. */
  readonly files: Readonly<Record<string, string>>;
  /** Name of each input → hash of its result. */
  readonly inputs: Readonly<Record<string, string>>;
}

export function stageKey(parts: StageParts): string {
  return sha256(canonicalText(parts)).slice(0, 24);
}

/** A part that differs, such as `config.optimizer.lr`. */
export interface Change {
  readonly part: string;
  /** undefined: it is not there. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Everything that differs between two stages, in the order of the parts. */
export function changesBetween(before: StageParts, after: StageParts): Change[] {
  return changes(before, after, '');
}

function changes(before: unknown, after: unknown, part: string): Change[] {
  if (canonicalText({ value: before }) === canonicalText({ value: after })) return [];
  // Another component's keys mean something else: it is named as a whole.
  const another = isBlock(before) && isBlock(after) && before['name'] !== after['name'] && 'name' in after;
  if (!isBlock(before) || !isBlock(after) || (another && part !== '')) return [{ part, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => changes(before[key], after[key], part === '' ? key : `${part}.${key}`));
}

/** A change as a person reads it: `config.steps 20 → 30`, `code of @athanor/norm`. */
export function describeChange({ part, before, after }: Change): string {
  const [first = '', ...rest] = part.split('.');
  const name = rest.join('.');
  if (first === 'code') return after === undefined ? `it no longer uses ${name}` : before === undefined ? `it now uses ${name}` : `the code of ${name} changed (${String(before)} → ${String(after)})`;
  if (first === 'files') return `${name} changed`;
  if (first === 'inputs') return after === undefined || before === undefined ? `it ${after === undefined ? 'no longer needs' : 'now needs'} ${name}` : `the outcome of ${name} changed`;
  return `${first === 'config' ? name || 'stage' : part}: ${show(before)} → ${show(after)}`;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : isBlock(value) && Object.keys(value).length === 1 && 'name' in value ? String(value['name']) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Names of the files and folders that a component's config, and those of the components in it, are made from. */
export function filesOf(kind: string, ref: ComponentRef, registry: Registry): string[] {
  const { name, config } = splitRef(ref);
  const found = registry.list(kind).find(({ component }) => component.name === name);
  if (found === undefined) return [];
  const { schema } = found.component;
  const inner = findReferences(schema, config).flatMap((reference) => filesOf(reference.kind, reference.ref, registry));
  return [...new Set([...findFiles(schema, config), ...inner])];
}

/** Packages of the components that a reference names, to any depth. */
export function packagesOf(kind: string, ref: ComponentRef, registry: Registry): string[] {
  const { name, config } = splitRef(ref);
  const found = registry.list(kind).find(({ component }) => component.name === name);
  if (found === undefined) return [];
  const inner = findReferences(found.component.schema, config).flatMap((reference) => packagesOf(reference.kind, reference.ref, registry));
  return [...new Set([found.package, ...inner])];
}
