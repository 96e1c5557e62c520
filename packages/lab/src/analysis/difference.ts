// In what configs differ.

/** A place in which not all configs have the same. */
export interface Difference {
  /** `stages.0.optimizer.lr`. */
  readonly path: string;
  /** By config; undefined where it has nothing there. */
  readonly values: readonly unknown[];
}

/** All places in which configs differ, in the order in which they are written. */
export function differences(configs: readonly unknown[]): Difference[] {
  const leaves = configs.map((config) => new Map(leavesOf(config, '')));
  const paths = [...new Set(leaves.flatMap((map) => [...map.keys()]))];
  return paths
    .map((path) => ({ path, values: leaves.map((map) => map.get(path)) }))
    .filter(({ values }) => values.some((value) => value !== values[0]));
}

function leavesOf(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const entries = Object.entries(value);
  if (entries.length === 0) return [[path, Array.isArray(value) ? '[]' : '{}']];
  return entries.flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`));
}
