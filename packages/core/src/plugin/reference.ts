// References to components inside configs: the bare name `batch`, or `{ name: batch, …its config }`.
import * as z from 'zod';
import { childSchemas, unwrapped } from './schema.ts';
import type { Schema } from './schema.ts';

/** A component named in a config: its name, or its name beside its config. */
export type ComponentRef = string | { readonly name: string; readonly [key: string]: unknown };

/**
 * The schema of a reference to a component of `kind`. The referred config is not checked by
 * this schema but by {@link Registry.resolve}, which knows the components.
 */
export function componentRef(kind: string): z.ZodType<ComponentRef> {
  const reference = z.union([z.string(), z.looseObject({ name: z.string() })], {
    error: ({ input }) => `${input === undefined ? 'missing; ' : ''}expected a ${kind}: its name, or { name: …, and its config }`,
  });
  return reference.meta({ component: kind });
}

/** A reference's name and its config apart. */
export function splitRef(ref: ComponentRef): { readonly name: string; readonly config: Record<string, unknown> } {
  if (typeof ref === 'string') return { name: ref, config: {} };
  const { name, ...config } = ref;
  return { name, config };
}

export interface FoundReference {
  readonly path: readonly PropertyKey[];
  readonly kind: string;
  readonly ref: ComponentRef;
}

/** Every reference that stands in `value` where `schema` asks for one. */
export function findReferences(schema: Schema, value: unknown, path: readonly PropertyKey[] = []): FoundReference[] {
  const kind = z.globalRegistry.get(schema)?.['component'];
  if (typeof kind === 'string') return isRef(value) ? [{ path, kind, ref: value }] : [];
  const under = unwrapped(schema);
  if (under.length > 0) return distinct(under.flatMap((inner) => findReferences(inner, value, path)));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const step = Array.isArray(value) ? Number(key) : key;
    return childSchemas(schema, step).flatMap((inner) => findReferences(inner, child, [...path, step]));
  });
}

/** Every file or folder that is named in `value` where the schema says `.meta({ file: true })`. */
export function findFiles(schema: Schema, value: unknown): string[] {
  if (z.globalRegistry.get(schema)?.['file'] === true) return typeof value === 'string' ? [value] : [];
  const under = unwrapped(schema);
  if (under.length > 0) return [...new Set(under.flatMap((inner) => findFiles(inner, value)))];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => childSchemas(schema, Array.isArray(value) ? Number(key) : key).flatMap((inner) => findFiles(inner, child)));
}

function isRef(value: unknown): value is ComponentRef {
  if (typeof value === 'string') return true;
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

function distinct(found: FoundReference[]): FoundReference[] {
  const seen = new Map(found.map((reference) => [`${reference.kind}:${reference.path.map(String).join('.')}`, reference]));
  return [...seen.values()];
}
