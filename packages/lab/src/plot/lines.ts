// Line chart: several series over one axis, each with a band if its values are uncertain.
import * as Plot from '@observablehq/plot';
import { axisTitle, dashOf, draw, extentOf, factorOf, scaleOf } from './draw.ts';
import type { Axis, Drawn } from './draw.ts';
import { colorOf } from './theme.ts';

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  /** Edges of the band at this place. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

export interface LineSeries {
  readonly name: string;
  /** In the order of x. A value that is not finite leaves a gap. */
  readonly points: readonly LinePoint[];
  /** Which colour and dashes; the series' place if absent. */
  readonly look?: number | undefined;
  /** Drawn thin and left out of the legend: what only accompanies. */
  readonly faint?: boolean | undefined;
}

export interface LineChart {
  readonly series: readonly LineSeries[];
  readonly x: Axis;
  readonly y: Axis;
  /** Values of y at which a dashed line lies across. */
  readonly rules?: readonly number[] | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly legend?: boolean | undefined;
}

/** The chart with its scales. On a logarithmic axis what is not above 0 is left out. */
export function drawLines({ series, x, y, rules = [], width = 560, height = 300, legend }: LineChart): Drawn {
  const show = (axis: Axis, value: number | undefined) => (value === undefined || !Number.isFinite(value) || (axis.scale === 'log' && value <= 0) ? NaN : value * factorOf(axis));
  const looks = series.map(({ look }, index) => look ?? index);
  const placed = series.map(({ points }) =>
    points.map((point) => ({ x: show(x, point.x), y: show(y, point.y), low: show(y, point.low), high: show(y, point.high) })),
  );
  const bands = placed.map((points, index) =>
    points.some(({ low }) => Number.isFinite(low)) ? Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: colorOf(looks[index] ?? 0), fillOpacity: 0.18 }) : [],
  );
  const lines = placed.map((points, index) => {
    const look = looks[index] ?? 0;
    const stroke = colorOf(look);
    const faint = series[index]?.faint === true;
    const dash = dashOf(look);
    const line = Plot.line(points, { x: 'x', y: 'y', stroke, strokeWidth: faint ? 1 : points.length > 200 ? 1.4 : 2, strokeOpacity: faint ? 0.5 : 1, ...(dash === undefined ? {} : { strokeDasharray: dash }) });
    return faint || points.length > 30 ? line : [line, Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 2.5 })];
  });
  const named = series.flatMap(({ name, faint }, index) => (faint === true ? [] : [{ name, look: looks[index] ?? 0, mark: 'line' as const }]));
  const every = (key: 'x' | 'y' | 'low' | 'high') => placed.flatMap((points) => points.map((point) => point[key]));
  const [least, greatest] = extentOf(every('y'));
  return draw(
    {
      width,
      height,
      marginLeft: Math.max(-least, greatest) >= 10_000 ? 58 : 48,
      marginRight: 16,
      marginBottom: 36,
      marginTop: 26,
      x: scaleOf(x, { values: every('x'), count: Math.min(8, width / 80) }),
      y: { ...scaleOf(y, { values: [...every('y'), ...every('low'), ...every('high')], count: height / 45 }), grid: true, nice: y.domain === undefined && y.scale !== 'log' },
      marks: [Plot.ruleY(rules.map((value) => value * factorOf(y)), { strokeDasharray: '4 4', strokeOpacity: 0.6 }), ...bands, ...lines],
    },
    { title: `${axisTitle(y)} over ${axisTitle(x)}: ${series.map(({ name }) => name).join(', ')}`, legend: legend ?? named.length > 1 ? named : [] },
  );
}

/** SVG text of the chart. */
export function lineChart(options: LineChart): string {
  return drawLines(options).svg;
}
