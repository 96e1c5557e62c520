// Charts of chosen runs: curves smoothed, thinned to what the screen shows, drawn on the server.
import { bandOf, smooth, thin } from '../analysis/curves.ts';
import type { BandPoint, CurvePoint } from '../analysis/curves.ts';
import { drawLines } from '../plot/lines.ts';
import type { LineSeries } from '../plot/lines.ts';
import type { DrawnScale } from '../plot/draw.ts';
import { metricAxis } from '../report/results.ts';
import type { RunsFolder } from './runs.ts';
import type { Series } from './series.ts';

export interface ChartsRequest {
  /** Numbers of runs; of more than {@link mostRuns} the first are shown. */
  readonly runs: readonly number[];
  /** Which metrics; a good choice if empty. */
  readonly metrics: readonly string[];
  /** Share of a curve's points that are averaged: 0 none. */
  readonly smooth: number;
  readonly log: boolean;
  /** One curve a variant, with a band over its seeds. */
  readonly group: boolean;
  readonly width: number;
}

/** A curve for the pointer: values as shown. */
export interface ChartSeries {
  readonly name: string;
  readonly look: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly metric: string;
  readonly svg: string;
  readonly x: DrawnScale | undefined;
  readonly y: DrawnScale | undefined;
  readonly series: readonly ChartSeries[];
}

export interface Charts {
  /** All metrics that any of the runs has. */
  readonly metrics: readonly string[];
  readonly charts: readonly Chart[];
  /** Number of a run → look of its curve. */
  readonly looks: Readonly<Record<number, number>>;
  /** What the curves are, for all charts. */
  readonly legend: readonly { readonly name: string; readonly look: number }[];
}

/** More curves than these are not told apart. */
export const mostRuns = 60;
const mostMetrics = 12;
/** Points of all curves of one chart together. */
const mostPoints = 16_000;
/** A log of one curve is not averaged over seeds in finer steps than these. */
const mostGrouped = 4_000;

interface Line {
  readonly name: string;
  readonly look: number;
  readonly members: readonly ReadonlyMap<string, Series>[];
}

/** Draws the charts that are asked for. Runs that are not there are left out. */
export function drawCharts(folder: RunsFolder, request: ChartsRequest): Charts {
  const runs = request.runs.flatMap((id) => folder.find(id) ?? []).slice(0, mostRuns);
  const studies = new Set(runs.map(({ row }) => row.study));
  const seeds = new Set(runs.map(({ row }) => row.seed));
  const lines = new Map<string, { name: string; look: number; members: ReadonlyMap<string, Series>[] }>();
  const looks: Record<number, number> = {};
  for (const { row, stages } of runs) {
    const variant = [...(studies.size > 1 || row.variant === '' ? [row.study] : []), ...(row.variant === '' ? [] : [row.variant])].join(' ');
    const name = request.group || seeds.size === 1 ? variant : `${variant} seed=${row.seed}`;
    const key = request.group ? `${row.study} ${row.variant}` : String(row.id);
    const line = lines.get(key) ?? { name, look: lines.size, members: [] };
    lines.set(key, line);
    line.members.push(folder.series.open(row.id, stages).series);
    looks[row.id] = line.look;
  }
  const metrics = [...new Set([...lines.values()].flatMap(({ members }) => members.flatMap((series) => [...series.keys()])))].toSorted();
  const chosen = request.metrics.length > 0 ? request.metrics.filter((metric) => metrics.includes(metric)) : goodChoice(metrics);
  const legend = [...lines.values()].map(({ name, look }) => ({ name, look }));
  return { metrics, looks, legend, charts: chosen.slice(0, mostMetrics).map((metric) => drawChart(metric, [...lines.values()], request)) };
}

/** Accuracies before losses, tests before training; three at most. */
function goodChoice(metrics: readonly string[]): string[] {
  const rank = (metric: string) => (metric.endsWith('accuracy') ? 0 : metric.endsWith('loss') ? 2 : 4) + (/(^|\/)train\./.test(metric) ? 1 : 0);
  return metrics.toSorted((a, b) => rank(a) - rank(b)).slice(0, 3);
}

function drawChart(metric: string, lines: readonly Line[], { smooth: share, log, width }: ChartsRequest): Chart {
  const present = lines.filter(({ members }) => members.some((series) => series.has(metric)));
  const limit = Math.max(80, Math.floor(mostPoints / Math.max(1, present.length)));
  const axis = metricAxis(metric);
  const factor = axis.percent === true ? 100 : 1;
  const series = present.map(({ name, look, members }): LineSeries => {
    const curves = members.flatMap((one) => one.get(metric) ?? []).map((one) => smooth(pointsOf(one, members.length > 1), share));
    const [only = []] = curves;
    const points: readonly (CurvePoint & Partial<BandPoint>)[] = thin(curves.length > 1 ? bandOf(curves) : only, limit);
    return { name, look, points: points.map(({ step, value, low, high }) => ({ x: step, y: value, low, high })) };
  });
  const { svg, x, y } = drawLines({ series, x: { label: 'step' }, y: { ...axis, scale: log ? 'log' : 'linear' }, width, height: Math.round(width * 0.55), legend: false });
  return {
    metric,
    svg,
    x,
    y,
    series: series.map(({ name, look = 0, points }) => ({ name, look, points: points.filter((point) => Number.isFinite(point.y)).map((point) => [point.x, point.y * factor] as const) })),
  };
}

function pointsOf({ steps, values, length }: Series, grouped: boolean): CurvePoint[] {
  const stride = grouped ? Math.ceil(length / mostGrouped) : 1;
  return Array.from({ length: Math.ceil(length / stride) }, (_, index) => ({ step: steps[index * stride] ?? 0, value: values[index * stride] ?? NaN }));
}
