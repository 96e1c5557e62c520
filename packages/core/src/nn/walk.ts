// How modules are found in modules: public fields, arrays and plain objects, in order, shared ones once.
import { Variable } from '../engine/variable.ts';

/** A place where a module or a Variable stands. */
export interface Found<T> {
  readonly path: string;
  readonly value: T;
  /** What holds it, and under which key: assigning there replaces it. */
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

export interface Findings<M> {
  readonly modules: Found<M>[];
  readonly variables: Found<Variable>[];
}

function isContainer(value: unknown): value is Record<string, unknown> {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Everything below a root. `fieldsOf` gives the fields of a module, or undefined for what is no module. */
export function walk<M extends object>(root: M, fieldsOf: (value: unknown) => Record<string, unknown> | undefined): Findings<M> {
  const findings: Findings<M> = { modules: [], variables: [] };
  const seen = new Set<unknown>([root]);
  const visit = (holder: Record<string, unknown>, prefix: string): void => {
    for (const [key, value] of Object.entries(holder)) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      const fields = fieldsOf(value);
      if (value instanceof Variable) {
        seen.add(value);
        findings.variables.push({ path, value, holder, key });
      } else if (fields !== undefined) {
        seen.add(value);
        findings.modules.push({ path, value: value as M, holder, key });
        visit(fields, path);
      } else if (isContainer(value)) {
        seen.add(value);
        visit(value, path);
      }
    }
  };
  visit(fieldsOf(root) ?? {}, '');
  return findings;
}
