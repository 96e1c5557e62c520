// The registry: the components of the plugins that one experiment loaded, found by kind and name.
// There is no global one; the lab makes it and passes it on.
import { UserError } from '../errors.ts';
import type { AnyComponent, Component, Make, Plugin } from './component.ts';
import { explainIssues } from './issues.ts';
import type { ConfigIssue } from './issues.ts';
import type { ComponentKinds, ContextOf, Kind } from './kinds.ts';
import { didYouMean } from './nearest.ts';
import { findReferences, splitRef } from './reference.ts';
import type { ComponentRef } from './reference.ts';

/** A component and the plugin that brought it. */
export interface Registered {
  readonly component: AnyComponent;
  readonly package: string;
}

/** A reference with every default filled in, or the mistakes that keep it from being one. */
export interface Resolved {
  readonly ref: ComponentRef;
  readonly issues: readonly ConfigIssue[];
}

/** The components of the plugins that an experiment names, found by kind and name. */
export class Registry {
  readonly #components = new Map<string, Registered>();
  readonly #plugins = new Set<string>();

  constructor(plugins: Iterable<Plugin> = []) {
    for (const plugin of plugins) this.add(plugin);
  }

  /** Adds a plugin's components. Throws a UserError if a kind and name is taken, naming both packages. */
  add(plugin: Plugin): void {
    if (this.#plugins.has(plugin.name)) throw new UserError(`the plugin ${plugin.name} is there twice`, { remedy: 'name it once' });
    for (const component of plugin.components) {
      const key = `${component.kind}:${component.name}`;
      const present = this.#components.get(key);
      if (present !== undefined) {
        throw new UserError(
          `both ${present.package} and ${plugin.name} have a ${component.kind} named ${JSON.stringify(component.name)}`,
          { remedy: 'load only one of the two plugins, or rename one of the components' },
        );
      }
      this.#components.set(key, { component, package: plugin.name });
    }
    this.#plugins.add(plugin.name);
  }

  /** Every component, or those of one kind, sorted by kind and name. */
  list(kind?: string): Registered[] {
    return [...this.#components.values()]
      .filter(({ component }) => kind === undefined || component.kind === kind)
      .toSorted((a, b) => compare(a.component.kind, b.component.kind) || compare(a.component.name, b.component.name));
  }

  /** The component of that kind and name. Throws a UserError with the nearest names and the loaded plugins. */
  get<K extends Kind>(kind: K, name: string): Component<K> {
    const found = this.#find(kind, name);
    if (found === undefined) throw new UserError(this.#unknown(kind, name));
    return found as Component<K>;
  }

  /**
   * Checks a reference and everything that it refers to, and fills in all defaults.
   * Paths of the issues start at the reference; `resolve` throws nothing.
   */
  resolve(kind: string, ref: ComponentRef): Resolved {
    const { name, config } = splitRef(ref);
    const found = this.#find(kind, name);
    if (found === undefined) {
      const path = typeof ref === 'string' ? [] : ['name'];
      return { ref, issues: [{ path, message: this.#unknown(kind, name), at: 'value' }] };
    }
    const parsed = found.schema.safeParse(config, { reportInput: true });
    const issues = parsed.success ? [] : explainIssues(parsed.error, found.schema);
    const filled = structuredClone(parsed.success ? parsed.data : config) as Record<string, unknown>;
    for (const reference of findReferences(found.schema, filled)) {
      const inner = this.resolve(reference.kind, reference.ref);
      issues.push(...inner.issues.map((issue) => ({ ...issue, path: [...reference.path, ...issue.path] })));
      replaceAt(filled, reference.path, inner.ref);
    }
    return { ref: { name, ...filled }, issues };
  }

  /** Makes the component that `ref` names. A wrong name or config is a UserError. */
  make: Make = <K extends Kind>(kind: K, ref: ComponentRef, ...[context]: [context?: ContextOf<K>]): ComponentKinds[K] => {
    const { name, config } = splitRef(ref);
    const given = (context ?? {}) as ContextOf<K>;
    return this.get(kind, name).create(config, { ...given, make: this.make });
  };

  #find(kind: string, name: string): AnyComponent | undefined {
    return this.#components.get(`${kind}:${name}`)?.component;
  }

  #unknown(kind: string, name: string): string {
    const names = this.list(kind).map(({ component }) => component.name);
    const plugins = [...this.#plugins].toSorted(compare).join(', ') || 'none';
    const near = didYouMean(name, names);
    if (near !== '') return `unknown ${kind} ${JSON.stringify(name)}${near}`;
    const have = names.length === 0 ? `no plugin has a ${kind}` : `there are ${names.join(', ')}`;
    return `unknown ${kind} ${JSON.stringify(name)}: ${have} (plugins loaded: ${plugins})`;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function replaceAt(root: Record<string, unknown>, path: readonly PropertyKey[], value: unknown): void {
  let parent: Record<PropertyKey, unknown> = root;
  for (const key of path.slice(0, -1)) parent = parent[key] as Record<PropertyKey, unknown>;
  const last = path.at(-1);
  if (last !== undefined) parent[last] = value;
}
