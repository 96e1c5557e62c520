// Learning curves: for each metric, a line a variant with a band over its seeds.
import { bandOf, smooth, thin } from '../analysis/curves.ts';
import type { Variant } from '../analysis/summary.ts';
import { lineChart } from '../plot/index.ts';
import type { LineSeries } from '../plot/index.ts';
import { Html, html } from './html.ts';
import { mainMetric, metricAxis } from './results.ts';
import type { Curve } from './curves.ts';

/** More variants than these are not told apart: the best are shown. */
const shownVariants = 16;
const shownPoints = 400;
/** Probes may log a metric a layer. */
const shownCharts = 16;
/** Share of the points that training curves are averaged over. */
const smoothed = 0.02;

export function curveSection(curves: readonly Curve[], variants: readonly Variant[]): Html | undefined {
  const chosen = chooseVariants(variants);
  const shown = curves.filter(({ variant, points }) => chosen.has(variant) && points.length > 1);
  const stages = new Set(shown.map(({ stage }) => stage));
  const families = new Map<string, Curve[]>();
  for (const curve of shown) {
    const family = `${stages.size > 1 ? `${curve.stage}: ` : ''}${curve.metric.replace(/^(train|test)\./, '')}`;
    families.set(family, [...(families.get(family) ?? []), curve]);
  }
  if (families.size === 0) return undefined;
  const charts = [...families].slice(0, shownCharts).map(([family, members]) => familyFigure(family, members, variants));
  const notes = [
    'Lines are means over seeds, bands reach from the least to the greatest of them.',
    ...(chosen.size < variants.length ? [`Of ${variants.length} variants the ${chosen.size} best are shown.`] : []),
    ...(families.size > shownCharts ? [`Of ${families.size} metrics the first ${shownCharts} are shown; athanor ui shows all.`] : []),
  ];
  return html`<section><h2>Learning curves</h2>
<p class="soft">${notes.join(' ')}</p>
<div class="row">${charts}</div></section>`;
}

function chooseVariants(variants: readonly Variant[]): Set<number> {
  const indices = variants.map((_, index) => index);
  if (variants.length <= shownVariants) return new Set(indices);
  const metric = mainMetric(variants);
  const sign = metric !== undefined && /loss|error/.test(metric) ? 1 : -1;
  const rank = (index: number) => sign * (variants[index]?.estimates.get(metric ?? '')?.mean ?? -sign * Infinity);
  return new Set(indices.toSorted((a, b) => rank(a) - rank(b)).slice(0, shownVariants));
}

function familyFigure(family: string, members: readonly Curve[], variants: readonly Variant[]): Html {
  const metrics = [...new Set(members.map(({ metric }) => metric))];
  const several = metrics.length > 1;
  const series = metrics.flatMap((metric) => {
    const faint = several && metric.startsWith('train.');
    return [...new Set(members.map(({ variant }) => variant))].map((variant): LineSeries => {
      const runs = members.filter((curve) => curve.metric === metric && curve.variant === variant);
      const name = variants[variant]?.name ?? '';
      const raw = runs.map(({ points }) => (metric.startsWith('train.') ? smooth(points, smoothed) : points));
      const band = thin(bandOf(raw), shownPoints);
      const points = band.map(({ step, value, low, high }) => (runs.length > 1 && !faint ? { x: step, y: value, low, high } : { x: step, y: value }));
      return { name, look: variant, faint, points };
    });
  });
  const axis = { ...metricAxis(metrics[0] ?? family), label: family };
  const training = metrics.some((metric) => metric.startsWith('train.'));
  const caption = `${metrics.join(', ')}${training ? (several ? ' (thin: while training, smoothed)' : ' (smoothed)') : ''}`;
  return html`<figure>${new Html(lineChart({ series, x: { label: 'step' }, y: axis }))}<figcaption>${caption}</figcaption></figure>`;
}
