// Pictures of a study: each metric by variant, over numeric variables and in heat maps, and its course while training.
import { join } from 'node:path';
import { bandOf, smooth, thin } from '../analysis/curves.ts';
import type { CurvePoint } from '../analysis/curves.ts';
import type { Variant } from '../analysis/summary.ts';
import { estimateChart, heatMap, lineChart } from '../plot/index.ts';
import type { Axis } from '../plot/index.ts';
import { readMetrics } from '../run/metrics.ts';
import { stageFolder, stageNames } from '../run/study.ts';
import type { Run } from '../run/study.ts';
import { formatValues } from '../terminal/format.ts';

/** A picture as SVG text, and what it shows. */
export interface Picture {
  readonly file: string;
  readonly caption: string;
  readonly svg: string;
}

export interface PictureOptions {
  /** Final numbers to draw. */
  readonly metrics: readonly string[];
  /** Variants to prefer where not all can be shown. */
  readonly preferred: ReadonlySet<string>;
}

/** More rows, series or maps than these cannot be read. */
const most = { rows: 40, series: 12, maps: 12 };
/** A map of fewer shows no more than a list. */
const least = { cells: 6 };

/** A variable that the variants differ in. */
interface Variable {
  readonly name: string;
  /** In the order of the sweep; numbers ascending. */
  readonly values: readonly unknown[];
  readonly numeric: boolean;
}

/** All pictures of some metrics. */
export function drawPictures(variants: readonly Variant[], { metrics, preferred }: PictureOptions): Picture[] {
  const variables = variablesOf(variants);
  const shown = variants.length <= most.series ? variants : variants.filter(({ name }) => preferred.has(name)).slice(0, most.series);
  return [
    ...metrics.flatMap((metric) => [...byVariant(variants, metric), ...overNumbers(variants, variables, metric), ...inMaps(variants, variables, metric)]),
    ...[...new Set([...metrics, 'train.loss'])].flatMap((metric) => whileTraining(shown, metric)),
  ];
}

function byVariant(variants: readonly Variant[], metric: string): Picture[] {
  const marks = variants.flatMap(({ name, estimates }) => {
    const estimate = estimates.get(metric);
    if (estimate === undefined || !Number.isFinite(estimate.mean)) return [];
    return [{ name, value: estimate.mean, low: estimate.interval?.low, high: estimate.interval?.high, samples: estimate.values.length > 1 ? estimate.values : [], look: 0 }];
  });
  if (marks.length < 2 || marks.length > most.rows) return [];
  return [{ file: `${fileName(metric)}.svg`, caption: `${metric} by variant: ${severalSeeds(variants) ? 'mean over seeds, 95 % interval, single seeds as rings' : '95 % interval'}`, svg: estimateChart({ marks, x: axisOf(metric) }) }];
}

/** The metric over a numeric variable, a line for each combination of the others. */
function overNumbers(variants: readonly Variant[], variables: readonly Variable[], metric: string): Picture[] {
  const numeric = variables.filter(({ numeric: isNumeric, values }) => isNumeric && values.length >= 3);
  return numeric.flatMap(({ name, values }) => {
    const series = grouped(variants, [name]).map(([rest, members]) => ({
      name: rest === '' ? metric : rest,
      points: members
        .flatMap(({ values: own, estimates }) => {
          const estimate = estimates.get(metric);
          return estimate === undefined ? [] : [{ x: Number(own[name]), y: estimate.mean, low: estimate.interval?.low, high: estimate.interval?.high }];
        })
        .toSorted((a, b) => a.x - b.x),
    }));
    const drawn = series.filter(({ points }) => points.length > 1);
    if (drawn.length === 0 || drawn.length > most.series || (numeric.length > 1 && variables.length > 2)) return [];
    const svg = lineChart({ series: drawn, x: { label: name, scale: spansDecades(values.map(Number)) ? 'log' : 'linear' }, y: axisOf(metric) });
    return [{ file: `${fileName(metric)}.${fileName(name)}.svg`, caption: `${metric} over ${name}${severalSeeds(variants) ? ': mean over seeds, 95 % band' : ''}`, svg }];
  });
}

/** Where all combinations were run: the metric in a map of two variables, one map for each combination of the others. */
function inMaps(variants: readonly Variant[], variables: readonly Variable[], metric: string): Picture[] {
  const axes = axesOf(variables);
  const whole = variables.reduce((product, { values }) => product * values.length, 1) === variants.length;
  if (axes === undefined || !whole) return [];
  const [rows, columns] = axes;
  if (rows.values.length * columns.values.length < least.cells) return [];
  const maps = grouped(variants, [rows.name, columns.name]);
  if (maps.length > most.maps) return [];
  const finite = variants.map(({ estimates }) => estimates.get(metric)?.mean).filter((mean) => mean !== undefined && Number.isFinite(mean)) as number[];
  if (finite.length === 0) return [];
  const domain = [Math.min(...finite), Math.max(...finite)] as const;
  return maps.map(([rest, members]) => {
    const cells = members.flatMap(({ values, estimates }) => {
      const estimate = estimates.get(metric);
      return estimate === undefined ? [] : [{ x: text(values[columns.name]), y: text(values[rows.name]), value: estimate.mean }];
    });
    const svg = heatMap({ cells, columns: columns.values.map(text), rows: rows.values.map(text), x: columns.name, y: rows.name, value: { ...axisOf(metric), label: rest === '' ? metric : `${metric}, ${rest}`, domain } });
    const part = rest === '' ? '' : `.${fileName(rest)}`;
    return { file: `${fileName(metric)}${part}.map.svg`, caption: `${metric} by ${rows.name} and ${columns.name}${rest === '' ? '' : `, ${rest}`}${severalSeeds(variants) ? ': mean over seeds' : ''}`, svg };
  });
}

/** Which two variables span a map: numeric ones, the longer one across; or the only two. */
function axesOf(variables: readonly Variable[]): readonly [rows: Variable, columns: Variable] | undefined {
  const numeric = variables.filter((variable) => variable.numeric);
  const chosen = variables.length === 2 ? variables : numeric.length >= 2 ? numeric.toSorted((a, b) => b.values.length - a.values.length).slice(0, 2) : [];
  const [a, b] = chosen;
  if (a === undefined || b === undefined) return undefined;
  const across = a.numeric === b.numeric ? a.values.length > b.values.length : a.numeric;
  return across ? [b, a] : [a, b];
}

function whileTraining(variants: readonly Variant[], metric: string): Picture[] {
  const noisy = metric.startsWith('train.');
  const several = variants.some(({ runs }) => runs.length > 1);
  const series = variants.map(({ name, runs }) => {
    const curves = runs.map((run) => curveOf(run, metric));
    const band = bandOf(noisy ? curves.map((points) => smooth(points, 0.02)) : curves);
    return { name, points: thin(band, 400).map(({ step, value, low, high }) => ({ x: step, y: value, ...(several ? { low, high } : {}) })) };
  });
  const drawn = series.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return [];
  const svg = lineChart({ series: drawn, x: { label: 'step' }, y: axisOf(metric), legend: true });
  return [{ file: `${fileName(metric)}.curves.svg`, caption: `${metric} while training${noisy ? ', smoothed' : ''}${several ? ': mean over seeds, least to greatest' : ''}`, svg }];
}

/** A run's log of a metric, `metric` or `stage/metric`; of several stages the last that has it. */
function curveOf(run: Run, metric: string): CurvePoint[] {
  const [stage, name] = metric.includes('/') ? [metric.slice(0, metric.indexOf('/')), metric.slice(metric.indexOf('/') + 1)] : [undefined, metric];
  const logs = stageNames(run).flatMap((own, index) => {
    if (stage !== undefined && stage !== own) return [];
    const rows = readMetrics(join(stageFolder(run, index), 'metrics.arrow')).filter((row) => row.metric === name);
    return rows.length === 0 ? [] : [rows];
  });
  return logs.at(-1) ?? [];
}

function variablesOf(variants: readonly Variant[]): Variable[] {
  const names = [...new Set(variants.flatMap(({ values }) => Object.keys(values)))];
  return names.flatMap((name) => {
    const values = [...new Map(variants.filter((variant) => name in variant.values).map((variant) => [text(variant.values[name]), variant.values[name]])).values()];
    if (values.length < 2) return [];
    const numeric = values.every((value) => typeof value === 'number');
    return [{ name, values: numeric ? values.toSorted((a, b) => Number(a) - Number(b)) : values, numeric }];
  });
}

/** Variants by what they have besides some variables. */
function grouped(variants: readonly Variant[], without: readonly string[]): [rest: string, members: Variant[]][] {
  const varying = new Set(variablesOf(variants).map(({ name }) => name));
  const groups = new Map<string, Variant[]>();
  for (const variant of variants.filter(({ values }) => without.every((name) => name in values))) {
    const rest = formatValues(Object.fromEntries(Object.entries(variant.values).filter(([name]) => varying.has(name) && !without.includes(name))));
    groups.set(rest, [...(groups.get(rest) ?? []), variant]);
  }
  return [...groups];
}

/** Shares are shown as percent. */
function axisOf(metric: string): Axis {
  return { label: metric, percent: metric.endsWith('accuracy') };
}

function severalSeeds(variants: readonly Variant[]): boolean {
  return variants.some(({ estimates }) => [...estimates.values()].some(({ values }) => values.length > 1));
}

function spansDecades(values: readonly number[]): boolean {
  const lowest = Math.min(...values);
  return lowest > 0 && Math.max(...values) / lowest >= 8;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function fileName(words: string): string {
  return words.replaceAll(/[^\w.+-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'all';
}
