// Comparing variants, metric by metric: each against a base and all in pairs, by seeds where they are the same.
import { contrastsOfPairs, contrastsTo } from '../analysis/comparison.ts';
import type { Contrast } from '../analysis/comparison.ts';
import { differences } from '../analysis/difference.ts';
import type { Difference } from '../analysis/difference.ts';
import { mean } from '../analysis/statistics.ts';
import { valuesBySeed } from './sides.ts';
import type { Bases, Side } from './sides.ts';

export interface ComparedVariant {
  readonly name: string;
  readonly values: ReadonlyMap<number, number>;
  /** NaN without values. */
  readonly mean: number;
  /** Against its base; undefined for a base itself. */
  readonly contrast: Contrast | undefined;
}

export interface MetricComparison {
  readonly metric: string;
  /** What the differences are from: a variant, or the same variant of another run. */
  readonly against: string;
  readonly rows: readonly ComparedVariant[];
  /** Row minus column; absent where there are too many. */
  readonly pairs: readonly (readonly (Contrast | undefined)[])[] | undefined;
}

export interface Comparison {
  readonly sides: readonly Side[];
  readonly metrics: readonly MetricComparison[];
  /** Where the configs differ, apart from seeds; values in the order of the sides. */
  readonly changed: readonly Difference[];
}

/** More variants than these make a table of pairs that nobody reads. */
const mostPaired = 16;

export function compareSides(sides: readonly Side[], { metrics, bases }: { readonly metrics: readonly string[]; readonly bases: Bases }): Comparison {
  return {
    sides,
    metrics: metrics.map((metric) => compareMetric(sides, metric, bases)),
    changed: differences(sides.map(({ runs }) => ({ ...runs[0]?.config, seed: undefined }))),
  };
}

function compareMetric(sides: readonly Side[], metric: string, { places, against }: Bases): MetricComparison {
  const values = sides.map((side) => valuesBySeed(side, metric));
  const contrasts = contrastsTo(places, values);
  const rows = sides.map(({ name }, index) => {
    const own = values[index] ?? new Map<number, number>();
    return { name, values: own, mean: mean([...own.values()]), contrast: contrasts[index] };
  });
  return { metric, against, rows, pairs: sides.length > mostPaired || sides.length < 3 ? undefined : contrastsOfPairs(values) };
}
