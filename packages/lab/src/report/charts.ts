// The report's charts as SVG text: Observable Plot on a document that is no browser's.
// Lines and text take the page's colour, so that they can be read on light and on dark.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Estimate } from '../analysis/summary.ts';
import { Html } from './html.ts';
import { seriesCount } from './style.ts';

/** The colour of the variant at `index`: the style sheet has one for light and one for dark. */
export function colorOf(index: number): string {
  return `var(--series-${index % seriesCount})`;
}

/** One run's values of one metric. */
export interface Curve {
  /** Index of the variant, for the colour. */
  readonly variant: number;
  readonly run: string;
  readonly metric: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

/** Learning curves over steps: what is measured while training is faint, the rest is strong. */
export function curvesChart(curves: readonly Curve[], label: string, percent: boolean): Html {
  const shown = ({ value }: { value: number }) => (percent ? 100 * value : value);
  const lines = curves.flatMap(({ variant, metric, points }) => {
    const stroke = colorOf(variant);
    if (metric.startsWith('train.')) return [Plot.line(smooth(points), { x: 'step', y: shown, stroke, strokeWidth: 1, strokeOpacity: 0.55 })];
    const line = Plot.line(points, { x: 'step', y: shown, stroke, strokeWidth: 2 });
    return points.length > 40 ? [line] : [line, Plot.dot(points, { x: 'step', y: shown, fill: stroke, r: 2.5 })];
  });
  return draw({
    width: 560,
    height: 300,
    marginLeft: 48,
    marginBottom: 36,
    x: { label: 'step', nice: false, ticks: 6 },
    y: { label: percent ? `${label} (%)` : label, grid: true, nice: true },
    marks: lines,
  });
}

/** Estimates with their intervals, one line a variant. */
export function intervalChart(estimates: readonly { readonly name: string; readonly variant: number; readonly estimate: Estimate }[], label: string): Html {
  const rows = estimates.map(({ name, variant, estimate }) => ({
    name,
    color: colorOf(variant),
    mean: 100 * estimate.mean,
    low: 100 * (estimate.interval?.low ?? estimate.mean),
    high: 100 * (estimate.interval?.high ?? estimate.mean),
  }));
  const seeds = estimates.flatMap(({ name, variant, estimate }) =>
    estimate.values.length < 2 ? [] : estimate.values.map((value) => ({ name, color: colorOf(variant), value: 100 * value })),
  );
  return draw({
    width: 560,
    height: 60 + 30 * rows.length,
    marginLeft: 24 + 7 * Math.max(4, ...rows.map(({ name }) => name.length)),
    marginBottom: 36,
    x: { label: `${label} (%)`, grid: true, nice: true, ticks: 6 },
    y: { label: null, domain: rows.map(({ name }) => name) },
    marks: [
      Plot.link(rows, { x1: 'low', x2: 'high', y1: 'name', y2: 'name', stroke: 'color', strokeWidth: 2 }),
      Plot.dot(seeds, { x: 'value', y: 'name', stroke: 'color', r: 3 }),
      Plot.dot(rows, { x: 'mean', y: 'name', fill: 'color', r: 5 }),
    ],
  });
}

/** A confusion matrix: rows are truths, columns answers, shades the share of the truth's samples. */
export function confusionChart(confusion: readonly (readonly number[])[], classes: readonly string[]): Html {
  const cells = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, answer) => ({ truth: classes[truth] ?? '', answer: classes[answer] ?? '', count, share: count / Math.max(1, total) }));
  });
  const longest = Math.max(...classes.map((name) => name.length));
  const size = Math.min(34, Math.max(18, 262 / classes.length));
  const room = 16 + 6.2 * longest;
  return draw({
    width: room + 12 + size * classes.length,
    height: room + 24 + size * classes.length,
    marginLeft: room,
    marginTop: 18,
    marginBottom: room,
    marginRight: 8,
    padding: 0.04,
    x: { domain: classes, label: null, tickRotate: -90, tickSize: 0 },
    y: { domain: classes, label: null, tickSize: 0 },
    opacity: { type: 'identity' },
    marks: [
      Plot.cell(cells, { x: 'answer', y: 'truth', fill: 'var(--accent)', fillOpacity: ({ share }: { share: number }) => 0.04 + 0.76 * share }),
      Plot.text(cells.filter(({ count }) => count > 0), { x: 'answer', y: 'truth', text: 'count', fontSize: 10 }),
      Plot.text(['answer →'], { frameAnchor: 'top-right', dy: -14, fontSize: 10, fillOpacity: 0.7 }),
    ],
  });
}

/** Moving mean over a fiftieth of the points, so that batches' noise does not hide the course. */
function smooth(points: Curve['points']): Curve['points'] {
  const reach = Math.floor(points.length / 100);
  return points.map(({ step }, index) => {
    const near = points.slice(Math.max(0, index - reach), index + reach + 1);
    return { step, value: near.reduce((sum, { value }) => sum + value, 0) / near.length };
  });
}

function draw(options: Plot.PlotOptions): Html {
  const { document } = parseHTML('<html><body></body></html>');
  const chart = Plot.plot({ document, className: 'chart', style: { background: 'transparent', fontSize: '11px' }, ...options });
  return new Html(chart.outerHTML);
}
