// The report's numbers: a table with intervals, and pictures of what matters most in it.
import type { Estimate, Variant } from '../analysis/summary.ts';
import { estimateChart, heatMap } from '../plot/index.ts';
import type { Axis, EstimateMark } from '../plot/index.ts';
import { formatDuration } from '../terminal/format.ts';
import { formatEstimate } from '../terminal/summary.ts';
import { Html, html } from './html.ts';
import { mark } from './parts.ts';

/** How many metrics have a picture. */
const pictured = 4;

/** The axis on which a metric is drawn. */
export function metricAxis(metric: string): Axis {
  return { label: metric.replaceAll('.', ' '), percent: metric.endsWith('accuracy') };
}

/** Metrics of the variants, as they come. */
export function metricsOf(variants: readonly Variant[]): string[] {
  return [...new Set(variants.flatMap(({ estimates }) => [...estimates.keys()]))];
}

/** The metric that variants are ordered by: the test accuracy, or the first there is. */
export function mainMetric(variants: readonly Variant[]): string | undefined {
  const metrics = metricsOf(variants);
  return metrics.find((metric) => metric === 'test.accuracy') ?? metrics[0];
}

export function resultSection(variants: readonly Variant[]): Html {
  const metrics = metricsOf(variants);
  const best = bestVariant(variants);
  const rows = variants.map((variant, index) => html`<tr>
<td>${mark(index)}${variant.name}</td><td class="number">${variant.runs.length}</td>
${metrics.map((metric) => html`<td class="number${metric === 'test.accuracy' && best === index ? ' best' : ''}">${formatEstimate(metric, variant.estimates.get(metric))}</td>`)}
<td class="number">${formatDuration(variant.seconds)}</td></tr>`);
  const methods = new Set(variants.flatMap(({ estimates }) => [...estimates.values()].map(({ method }) => method)));
  return html`<section><h2>Result</h2>
<div class="scroll"><table><thead><tr><th>variant</th><th class="number">runs</th>${metrics.map((metric) => html`<th class="number">${metric}</th>`)}<th class="number">time</th></tr></thead><tbody>${rows}</tbody></table></div>
${[...methods].map((method) => intervalNote(method))}
<div class="row">${metrics.filter((metric) => differs(variants, metric)).slice(0, pictured).map((metric) => pictureOf(variants, metric))}</div></section>`;
}

function bestVariant(variants: readonly Variant[]): number | undefined {
  if (variants.length < 2) return undefined;
  const means = variants.map(({ estimates }) => estimates.get('test.accuracy')?.mean ?? NaN);
  const finite = means.filter(Number.isFinite);
  return finite.length === 0 ? undefined : means.indexOf(Math.max(...finite));
}

function intervalNote(method: Estimate['method']): Html | undefined {
  switch (method) {
    case 'student':
      return html`<p class="soft">Brackets: 95 % intervals for the mean over seeds (Student’s t). They tell how much the seed matters, not the choice of test images.</p>`;
    case 'wilson':
      return html`<p class="soft">Brackets: 95 % Wilson intervals over the test images. One seed each: how much the seed matters cannot be seen here.</p>`;
    case 'none':
      return undefined;
  }
}

/** A metric is worth a picture if it is the main one, or not all variants have the same. */
function differs(variants: readonly Variant[], metric: string): boolean {
  const means = variants.map(({ estimates }) => estimates.get(metric)?.mean).filter((mean) => mean !== undefined && Number.isFinite(mean));
  return metric !== 'parameters' && means.length > 0 && (metric === mainMetric(variants) || new Set(means).size > 1);
}

function pictureOf(variants: readonly Variant[], metric: string): Html {
  const axis = metricAxis(metric);
  const [rows, columns, ...more] = sweptVariables(variants);
  const cells = columns === undefined || rows === undefined || more.length > 0 ? undefined : { rows, columns };
  const marks = variants.flatMap((variant, look) => {
    const estimate = variant.estimates.get(metric);
    if (estimate === undefined || estimate.values.length === 0) return [];
    const { mean: value, interval, values } = estimate;
    const place = cells === undefined ? { name: variant.name, look } : { name: shown(variant.values[cells.columns]), series: shown(variant.values[cells.rows]) };
    return [{ ...place, value, low: interval?.low, high: interval?.high, ...(values.length > 1 ? { samples: values } : {}) }];
  });
  const dots = html`<figure>${new Html(estimateChart({ marks, x: axis, ...(cells === undefined ? {} : { rowLabel: cells.columns }) }))}<figcaption>${captionOf(metric, marks)}</figcaption></figure>`;
  if (cells === undefined || variants.length < 4) return dots;
  const map = heatMap({
    cells: variants.map(({ values, estimates }) => ({ x: shown(values[cells.columns]), y: shown(values[cells.rows]), value: estimates.get(metric)?.mean ?? NaN })),
    x: cells.columns,
    y: cells.rows,
    value: axis,
  });
  return html`${dots}<figure class="matrix">${new Html(map)}<figcaption>${metric}: mean over seeds</figcaption></figure>`;
}

function captionOf(metric: string, marks: readonly EstimateMark[]): string {
  const parts = [
    ...(marks.some(({ samples }) => samples !== undefined) ? ['means over seeds, rings are single seeds'] : []),
    ...(marks.some(({ low }) => low !== undefined) ? ['bars are the intervals'] : []),
  ];
  return parts.length === 0 ? metric : `${metric}: ${parts.join(', ')}`;
}

/** The variables of the sweep that take more than one value, if every combination is there. */
function sweptVariables(variants: readonly Variant[]): string[] {
  const names = [...new Set(variants.flatMap(({ values }) => Object.keys(values)))];
  const counts = names.map((name) => ({ name, count: new Set(variants.map(({ values }) => shown(values[name]))).size })).filter(({ count }) => count > 1);
  const whole = counts.reduce((product, { count }) => product * count, 1) === variants.length;
  return whole ? counts.map(({ name }) => name) : [];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
