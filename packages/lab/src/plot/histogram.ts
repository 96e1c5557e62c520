// Histogram: how often which values come, of one or several series.
import * as Plot from '@observablehq/plot';
import { axisTitle, draw, extentOf, factorOf, scaleOf } from './draw.ts';
import type { Axis } from './draw.ts';
import { colorOf } from './theme.ts';

export interface Bin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export interface HistogramSeries {
  readonly name: string;
  /** Counted by the chart, or … */
  readonly values?: ArrayLike<number> | undefined;
  /** … counted already, in ascending order. */
  readonly bins?: readonly Bin[] | undefined;
  readonly look?: number | undefined;
}

export interface Histogram {
  readonly series: readonly HistogramSeries[];
  readonly x: Axis;
  /** Number of bins for values; 40 if absent. */
  readonly bins?: number | undefined;
  /** Counts on a logarithmic axis: rare values become visible. */
  readonly logCounts?: boolean | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** Counts values in bins of equal width. What is not finite is left out; the last bin holds its upper edge. */
export function countBins(values: ArrayLike<number>, { bins, low, high }: { readonly bins: number; readonly low: number; readonly high: number }): Bin[] {
  const counts = new Array<number>(bins).fill(0);
  const width = (high - low) / bins;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (!(value >= low && value <= high)) continue;
    const bin = Math.min(bins - 1, Math.floor((value - low) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count, index) => ({ low: low + index * width, high: low + (index + 1) * width, count }));
}

/** SVG text of the histogram. Several series share their bins and lie over each other. */
export function histogram({ series, x, bins = 40, logCounts = false, width = 560, height = 240 }: Histogram): string {
  const [low, high] = x.domain ?? extent(series);
  const factor = factorOf(x);
  const floor = logCounts ? 0.5 : 0;
  const counted = series.map(({ values, bins: given }) => given ?? countBins(values ?? [], { bins, low, high }));
  const marks = series.flatMap(({ look }, index) => {
    const color = colorOf(look ?? index);
    const shown = (counted[index] ?? []).map((bin) => ({ low: bin.low * factor, high: bin.high * factor, count: Math.max(floor, bin.count) }));
    const first = shown[0];
    const last = shown.at(-1);
    const outline = [
      ...(first === undefined ? [] : [{ at: first.low, count: floor }]),
      ...shown.flatMap((bin) => [{ at: bin.low, count: bin.count }, { at: bin.high, count: bin.count }]),
      ...(last === undefined ? [] : [{ at: last.high, count: floor }]),
    ];
    return [
      Plot.rect(shown, { x1: 'low', x2: 'high', y1: floor, y2: 'count', fill: color, fillOpacity: series.length > 1 ? 0.22 : 0.6, inset: series.length > 1 ? 0 : 0.5 }),
      ...(series.length > 1 ? [Plot.line(outline, { x: 'at', y: 'count', stroke: color, strokeWidth: 1.5 })] : []),
    ];
  });
  return draw(
    {
      width,
      height,
      marginLeft: 56,
      marginRight: 16,
      marginTop: 26,
      marginBottom: 36,
      x: scaleOf({ ...x, domain: [low, high] }, { values: [], count: width / 80 }),
      y: { ...scaleOf({ label: 'count', scale: logCounts ? 'log' : 'linear' }, { values: [floor, ...counted.flat().map(({ count }) => Math.max(floor, count))], count: height / 45 }), grid: true, nice: !logCounts },
      marks: [...marks, ...(logCounts ? [] : [Plot.ruleY([0])])],
    },
    { title: `histogram of ${axisTitle(x)}: ${series.map(({ name }) => name).join(', ')}`, legend: series.length > 1 ? series.map(({ name, look }, index) => ({ name, look: look ?? index, mark: 'square' })) : [] },
  ).svg;
}

/** The span of all values; never empty. */
function extent(series: readonly HistogramSeries[]): [number, number] {
  const [low, high] = extentOf(series.flatMap(({ values = [], bins = [] }) => [...(values.length > 0 ? extentOf(Array.from(values)) : []), ...bins.flatMap((bin) => [bin.low, bin.high])]));
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
