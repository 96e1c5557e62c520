// Reading zod schemas: what lies under the wrappers, the children of a container, the keys that are known.
import type * as z from 'zod';

/** A schema as zod's own walkers see it. */
export type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

const definition = (schema: Schema): Definition => (schema as z.core.$ZodTypes)._zod.def;

/**
 * The schemas that may stand directly for this one: a union's options, or what a wrapper
 * (optional, default, lazy, pipe's input, …) wraps. Empty when the schema stands for itself.
 */
export function unwrapped(schema: Schema): readonly Schema[] {
  const def = definition(schema);
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
    case 'nonoptional':
      return [def.innerType];
    case 'lazy':
      return [def.getter()];
    case 'pipe':
      return [def.in];
    case 'union':
      return def.options;
    case 'intersection':
      return [def.left, def.right];
    default:
      return [];
  }
}

/** The schemas of the child at `key`; more than one under a union. */
export function childSchemas(schema: Schema, key: PropertyKey): readonly Schema[] {
  const under = unwrapped(schema);
  if (under.length > 0) return under.flatMap((inner) => childSchemas(inner, key));
  const def = definition(schema);
  switch (def.type) {
    case 'object': {
      const child = def.shape[String(key)] ?? def.catchall;
      return child === undefined ? [] : [child];
    }
    case 'array':
      return [def.element];
    case 'tuple': {
      const child = def.items[Number(key)] ?? def.rest;
      return child === undefined || child === null ? [] : [child];
    }
    case 'record':
      return [def.valueType];
    default:
      return [];
  }
}

/** The schemas of what stands at `path`. */
export function schemasAt(schema: Schema, path: readonly PropertyKey[]): readonly Schema[] {
  let schemas: readonly Schema[] = [schema];
  for (const key of path) schemas = schemas.flatMap((parent) => childSchemas(parent, key));
  return schemas;
}

/** The keys that an object schema names, of all options under a union. */
export function knownKeys(schema: Schema): string[] {
  const under = unwrapped(schema);
  if (under.length > 0) return under.flatMap(knownKeys);
  const def = definition(schema);
  return def.type === 'object' ? Object.keys(def.shape) : [];
}
