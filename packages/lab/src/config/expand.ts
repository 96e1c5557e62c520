// A sweep's jobs: one for each combination of values and each seed, in a fixed order.
import type { Path } from './document.ts';
import type { ExperimentConfig } from './experiment.ts';
import { parsePath, valueAt } from './paths.ts';
import type { Variable } from './references.ts';

/** One combination: variable → value, with the place where the value was written. */
export type Combination = ReadonlyMap<string, Variable>;

/** All combinations of the grid's values, the last variable changing fastest; one empty one without a sweep. */
export function combinations(sweep: ExperimentConfig['sweep']): Combination[] {
  let all: Map<string, Variable>[] = [new Map()];
  for (const [name, values] of Object.entries(sweep?.grid ?? {})) {
    all = all.flatMap((combination) =>
      values.map((value, index) => new Map([...combination, [name, { value, source: ['sweep', 'grid', name, index] }]])),
    );
  }
  return all;
}

/** A folder name that tells the job: `norm-batch.seed-0`. Equal names get a number. */
export function jobNames(jobs: readonly { readonly values: Readonly<Record<string, unknown>>; readonly seed: number }[]): string[] {
  const taken = new Map<string, number>();
  return jobs.map(({ values, seed }) => {
    const parts = [...Object.entries(values), ['seed', seed] as const].map(([name, value]) => `${word(name)}-${word(value)}`);
    const name = parts.join('.').slice(0, 120);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name}.${count}`;
  });
}

/** Variables that name a place in the config, such as `train.batch` or `model`: the sweep sets them there. */
export function placedVariables(config: Record<string, unknown>, combination: Combination): { path: Path; variable: Variable }[] {
  return [...combination]
    .map(([name, variable]) => ({ path: parsePath(name), variable }))
    .filter(({ path }) => path.length > 1 || valueAt(config, path) !== undefined);
}

function word(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.replaceAll(/[^\w.+-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'none';
}
