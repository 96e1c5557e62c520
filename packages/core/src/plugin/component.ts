// Plugins and their components: the data that a package exports so that experiments can name its parts.
import type * as z from 'zod';
import { UserError } from '../errors.ts';
import { explainIssues } from './issues.ts';
import type { ComponentKinds, ContextOf, Kind } from './kinds.ts';
import type { ComponentRef } from './reference.ts';

/** Makes a component that another component's config names. */
export type Make = <K extends Kind>(
  kind: K,
  ref: ComponentRef,
  ...context: object extends ContextOf<K> ? [context?: ContextOf<K>] : [context: ContextOf<K>]
) => ComponentKinds[K];

/** What a component's `create` is given beside its config. */
export type ComponentContext<K extends Kind> = ContextOf<K> & { readonly make: Make };

export interface ComponentDefinition<K extends Kind, S extends z.ZodType> {
  readonly kind: K;
  readonly name: string;
  /** One line for `athanor ls components`: what it is, with the paper if there is one. */
  readonly summary: string;
  /** The only source of the config's types, defaults, messages and documentation: a strict object. */
  readonly schema: S;
  /** Makes the product from the parsed config. */
  readonly create: (config: z.output<S>, context: ComponentContext<K>) => ComponentKinds[K];
}

/** A component whose config type is forgotten: what the registry holds. */
export interface Component<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: string;
  readonly summary: string;
  readonly schema: z.ZodType;
  /** Parses `config` by the schema (a wrong one is a UserError) and makes the product. */
  create(config: unknown, context: ComponentContext<K>): ComponentKinds[K];
}

export interface Plugin {
  /** The package's name. */
  readonly name: string;
  readonly components: readonly AnyComponent[];
}

/** A component of any one kind. */
export type AnyComponent = { [K in Kind]: Component<K> }[Kind];

/**
 * Defines a component. `create` gets the parsed config, with every default filled in.
 *
 * ```ts
 * component({
 *   kind: 'schedule',
 *   name: 'cosine',
 *   summary: 'Cosine annealing (Loshchilov & Hutter 2017)',
 *   schema: z.strictObject({ floor: z.number().min(0).default(0) }),
 *   create: ({ floor }, { steps }) => (step) => floor + (1 - floor) * 0.5 * (1 + Math.cos((Math.PI * step) / steps)),
 * })
 * ```
 */
export function component<K extends Kind, S extends z.ZodType>(definition: ComponentDefinition<K, S>): Component<K> {
  const { kind, name, summary, schema } = definition;
  return {
    kind,
    name,
    summary,
    schema,
    create(config, context) {
      const parsed = schema.safeParse(config, { reportInput: true });
      if (parsed.success) return definition.create(parsed.data, context);
      const [first] = explainIssues(parsed.error, schema);
      const where = [kind, name, ...(first?.path ?? [])].join('.');
      throw new UserError(`${where}: ${first?.message ?? 'its config is not valid'}`);
    },
  };
}

/** Defines a plugin; a package's default export. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}
