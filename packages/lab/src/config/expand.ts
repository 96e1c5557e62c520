// A sweep's jobs: one for each combination of values and each seed, in a fixed order.
import type { Path } from './document.ts';
import { isBlock, parsePath, valueAt } from './paths.ts';
import type { Variable } from './references.ts';
import { latinHypercube, randomSamples } from './sample.ts';
import type { Sweep } from './sweep.ts';

/** One combination: variable → value, with the place where the value was written. */
export type Combination = ReadonlyMap<string, Variable>;

/**
 * The sweep's combinations, each once: of a grid all, the last variable changing fastest; one
 * empty one without a sweep.
 */
export function combinations(sweep: Sweep | undefined): Combination[] {
  const all = sweep === undefined ? [new Map<string, Variable>()] : allCombinations(sweep);
  const distinct = new Map(all.map((combination) => [JSON.stringify([...combination].map(([name, { value }]) => [name, value])), combination]));
  return [...distinct.values()];
}

/**
 * Of a sweep with mistakes, one combination with the first value that stands under each variable:
 * so that the rest of the config can be checked at once.
 */
export function anyCombination(sweep: unknown): Combination {
  const found = new Map<string, Variable>();
  const visit = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) value.forEach((entry, index) => visit(entry, [...path, index]));
    else if (isBlock(value)) {
      for (const [name, child] of Object.entries(value)) {
        const source = [...path, name];
        if (path.length < 2 || name === 'space') visit(child, source);
        else if (!found.has(name)) found.set(name, { value: firstIn(child), source });
      }
    }
  };
  visit(sweep, ['sweep']);
  return found;
}

function firstIn(value: unknown): unknown {
  if (Array.isArray(value)) return value[0];
  return isBlock(value) ? Object.values(value).flat()[0] : value;
}

function allCombinations({ grid, zip, list, random, lhs }: Sweep): Combination[] {
  if (zip !== undefined) {
    const length = Math.max(...Object.values(zip).map((values) => values.length));
    return Array.from({ length }, (_, index) =>
      combination(Object.entries(zip).map(([name, values]) => [name, values[index], ['sweep', 'zip', name, index]])),
    );
  }
  if (list !== undefined) {
    return list.map((entry, index) => combination(Object.entries(entry).map(([name, value]) => [name, value, ['sweep', 'list', index, name]])));
  }
  const samples = random === undefined ? lhs && latinHypercube(lhs) : randomSamples(random);
  if (samples !== undefined) {
    const way = random === undefined ? 'lhs' : 'random';
    return samples.map((values) => combination(Object.entries(values).map(([name, value]) => [name, value, ['sweep', way, 'space', name]])));
  }
  let all: Combination[] = [new Map()];
  for (const [name, values] of Object.entries(grid ?? {})) {
    all = all.flatMap((start) => values.map((value, index) => new Map([...start, [name, { value, source: ['sweep', 'grid', name, index] }]])));
  }
  return all;
}

function combination(entries: readonly (readonly [name: string, value: unknown, source: Path])[]): Combination {
  return new Map(entries.map(([name, value, source]) => [name, { value, source }]));
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
