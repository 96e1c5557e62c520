// The JSON Schema of experiment files for editors: the top level, and every component of the plugins.
import type { Registry } from '@athanor/core/plugin';
import * as z from 'zod';
import { experimentSchema } from './experiment.ts';

type JsonSchema = { readonly [key: string]: unknown };

const reference = { type: 'string', pattern: '\\$\\{[^{}]*\\}', description: 'A reference, such as ${norm} or ${train.batch}' };
const toReference: JsonSchema = { $ref: '#/$defs/reference' };

/**
 * Schema of the experiments that may name the registry's components. Any value may be a
 * `${reference}`; nothing but a component's name is required, since a file may extend another.
 */
export function experimentJsonSchema(registry: Registry): JsonSchema {
  const top = convert(experimentSchema);
  const kinds = kindsIn(top, registry);
  const definitions = Object.fromEntries(kinds.map((kind) => [kind, componentsOf(registry, kind, {})]));
  const properties = top['properties'] as Record<string, JsonSchema>;
  const named = componentsOf(registry, 'stage', { needs: { type: 'array', items: { type: 'string' }, description: 'Stages whose outcome this one takes' } });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Athanor experiment',
    ...top,
    properties: {
      ...properties,
      train: { ...trainAlone(registry), description: properties['train']?.['description'] },
      stages: {
        description: properties['stages']?.['description'],
        anyOf: [
          { type: 'array', items: { $ref: '#/$defs/stage' } },
          { type: 'object', additionalProperties: { $ref: '#/$defs/named-stage' } },
        ],
      },
    },
    $defs: { reference, ...definitions, 'named-stage': named },
  };
}

/** Kinds that have components, and those that something refers to. */
function kindsIn(top: JsonSchema, registry: Registry): string[] {
  const schemas = [top, ...registry.list().map(({ component }) => convert(component.schema))];
  const named = [...JSON.stringify(schemas).matchAll(/"#\/\$defs\/([^"]*)"/g)].map(([, kind = '']) => kind);
  return [...new Set([...registry.list().map(({ component }) => component.kind), ...named])].filter((kind) => kind !== 'reference').toSorted();
}

/** A component by its name, or by its name with its config. */
function componentsOf(registry: Registry, kind: string, more: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const components = registry.list(kind).map(({ component }) => component);
  return {
    description: `A ${kind}: its name, or { name: …, and its config }`,
    anyOf: [
      ...components.map(({ name, summary }) => ({ const: name, description: summary })),
      toReference,
      { type: 'object', properties: { name: toReference }, required: ['name'] },
      ...components.map(({ name, summary, schema }) => {
        const { properties = {}, ...rest } = convert(schema) as { properties?: JsonSchema };
        return { ...rest, title: name, description: summary, properties: { name: { const: name }, ...more, ...properties }, required: ['name'] };
      }),
    ],
  };
}

/** The key `train`: the config of the stage of that name. */
function trainAlone(registry: Registry): JsonSchema {
  const found = registry.list('stage').find(({ component }) => component.name === 'train');
  return found === undefined ? { type: 'object' } : convert(found.component.schema);
}

function convert(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
  return relax(converted);
}

/** Without required keys; component references point at their kind; scalars and lists may be `${references}`. */
function relax(schema: JsonSchema): JsonSchema {
  const { component, required: _, file: __, ...rest } = schema;
  if (typeof component === 'string') return { $ref: `#/$defs/${component}`, ...described(rest) };
  return Object.fromEntries(
    Object.entries(rest).flatMap(([key, value]): [string, unknown][] => {
      if (value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER) return [];
      if (key === 'properties') return [[key, mapValues(value as JsonSchema, (child) => orReference(relax(child)))]];
      if (key === 'items' && isSchema(value)) return [[key, orReference(relax(value))]];
      if (['additionalProperties', 'propertyNames'].includes(key) && isSchema(value)) return [[key, relax(value)]];
      if (['anyOf', 'oneOf', 'allOf', 'prefixItems'].includes(key)) return [[key, (value as JsonSchema[]).map(relax)]];
      return [[key, value]];
    }),
  );
}

function orReference(schema: JsonSchema): JsonSchema {
  const open = Object.keys(schema).every((key) => key === 'description' || key === 'default');
  const { description, default: initial, ...rest } = schema;
  const outer = { ...(description === undefined ? {} : { description }), ...(initial === undefined ? {} : { default: initial }) };
  if (open || '$ref' in rest || (rest['type'] === 'string' && rest['enum'] === undefined)) return schema;
  const options = Object.keys(rest).length === 1 && Array.isArray(rest['anyOf']) ? (rest['anyOf'] as JsonSchema[]) : [rest];
  return { ...outer, anyOf: [...options, toReference] };
}

function described({ description, default: initial }: JsonSchema): JsonSchema {
  return { ...(description === undefined ? {} : { description }), ...(initial === undefined ? {} : { default: initial }) };
}

function mapValues(values: JsonSchema, change: (value: JsonSchema) => JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value as JsonSchema)]));
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}
