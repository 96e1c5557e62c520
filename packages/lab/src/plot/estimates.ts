// Dots or bars with intervals: one row a name, in each row one mark a series.
import * as Plot from '@observablehq/plot';
import { axisTitle, draw, factorOf, letterWidth, scaleOf, shorten, symbolOf } from './draw.ts';
import type { Axis } from './draw.ts';
import { colorOf } from './theme.ts';

export interface EstimateMark {
  /** The row. */
  readonly name: string;
  /** Which of several marks in the row; all are of one series if absent. */
  readonly series?: string | undefined;
  readonly value: number;
  /** The interval. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Single measurements behind the value, drawn as small rings. */
  readonly samples?: readonly number[] | undefined;
  /** Which colour and symbol; the series' place, or the row's if there is one series, if absent. */
  readonly look?: number | undefined;
}

export interface EstimateChart {
  readonly marks: readonly EstimateMark[];
  readonly x: Axis;
  /** Title of the rows. */
  readonly rowLabel?: string | undefined;
  /** Bars begin at 0; dots are for values whose difference matters, not their size. */
  readonly as?: 'dots' | 'bars' | undefined;
  /** Values of x at which a dashed line stands. */
  readonly rules?: readonly number[] | undefined;
  readonly width?: number | undefined;
}

/** SVG text of the chart; its height follows the number of rows. */
export function estimateChart({ marks, x, rowLabel, as = 'dots', rules = [], width = 560 }: EstimateChart): string {
  const names = [...new Set(marks.map(({ name }) => name))];
  const series = [...new Set(marks.map((mark) => mark.series ?? ''))];
  const factor = factorOf(x);
  const room = Math.min(width * 0.45, 22 + letterWidth * Math.max(4, ...names.map((name) => name.length)));
  const rowHeight = Math.max(28, 14 + 14 * series.length);
  const placeOf = (mark: EstimateMark) => series.indexOf(mark.series ?? '');
  const lookOf = (mark: EstimateMark) => mark.look ?? (series.length > 1 ? placeOf(mark) : names.indexOf(mark.name));
  const groups = series.map((_, place) => marks.filter((mark) => placeOf(mark) === place));
  const shifted = (place: number) => (place - (series.length - 1) / 2) * 14;
  const lines = groups.flatMap((group, place) => {
    const rows = group.map((mark) => ({
      name: mark.name,
      color: colorOf(lookOf(mark)),
      value: mark.value * factor,
      low: (mark.low ?? mark.value) * factor,
      high: (mark.high ?? mark.value) * factor,
    }));
    const seen = group.flatMap((mark) => (mark.samples ?? []).map((sample) => ({ name: mark.name, color: colorOf(lookOf(mark)), value: sample * factor })));
    const at = { y: 'name', dy: shifted(place) } as const;
    const inset = (rowHeight - 14 * series.length) / 2;
    const bars = Plot.barX(rows, { x: 'value', y: 'name', fill: 'color', fillOpacity: 0.75, insetTop: inset + 14 * place + 1, insetBottom: inset + 14 * (series.length - 1 - place) + 1 });
    const ends = (['low', 'high'] as const).map((end) => Plot.tickX(rows.filter(({ low, high }) => low !== high), { x: end, ...at, stroke: as === 'bars' ? 'var(--text)' : 'color', strokeWidth: 2, insetTop: rowHeight / 2 - 4, insetBottom: rowHeight / 2 - 4 }));
    const interval = Plot.link(rows, { x1: 'low', x2: 'high', y1: 'name', y2: 'name', dy: shifted(place), stroke: as === 'bars' ? 'var(--text)' : 'color', strokeWidth: as === 'bars' ? 1.5 : 2 });
    const rings = Plot.dot(seen, { x: 'value', ...at, stroke: as === 'bars' ? 'var(--text)' : 'color', r: 2.5, strokeOpacity: 0.8 });
    const dots = [...new Set(group.map(lookOf))].map((look) =>
      Plot.dot(rows.filter((_, index) => group[index] !== undefined && lookOf(group[index]) === look), { x: 'value', ...at, fill: 'color', symbol: symbolOf(look), r: 5 }),
    );
    return as === 'bars' ? [bars, interval, ...ends, rings] : [interval, ...ends, rings, ...dots];
  });
  const legend = series.length > 1 ? series.map((name, look) => ({ name, look, mark: as === 'bars' ? ('square' as const) : ('dot' as const) })) : [];
  return draw(
    {
      width,
      height: 44 + 20 + rowHeight * names.length,
      marginLeft: room,
      marginRight: 18,
      marginBottom: 38,
      marginTop: 22,
      x: { ...scaleOf(x, { values: marks.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value].map((one) => one * factor)), count: (width - room) / 70 }), grid: true, nice: x.domain === undefined && x.scale !== 'log' },
      y: { type: 'band', domain: names, label: rowLabel ?? null, padding: 0, tickSize: 0, tickFormat: (name: string) => shorten(name, Math.floor((room - 18) / letterWidth)) },
      marks: [Plot.ruleX(as === 'bars' && x.scale !== 'log' ? [0] : []), Plot.ruleX(rules.map((value) => value * factor), { strokeDasharray: '4 4', strokeOpacity: 0.7 }), ...lines],
    },
    { title: `${axisTitle(x)} of ${names.join(', ')}`, legend },
  ).svg;
}
