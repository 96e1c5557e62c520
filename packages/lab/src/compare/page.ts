// A comparison as one HTML page: differences with intervals, all pairs, numbers, curves, and what differs in the configs.
import { estimateChart, heatMap } from '../plot/index.ts';
import { curvesOf } from '../report/curves.ts';
import { Html, html } from '../report/html.ts';
import { curveSection } from '../report/learning.ts';
import { mark } from '../report/parts.ts';
import { metricAxis, resultSection } from '../report/results.ts';
import { configSection } from '../report/setting.ts';
import { style } from '../report/style.ts';
import { formatNumber } from '../terminal/format.ts';
import type { Comparison, MetricComparison } from './compare.ts';
import { shownP } from './table.ts';

export function comparisonPage({ sides, metrics }: Comparison): string {
  const names = [...new Set(sides.map(({ study }) => study.split(/[\\/]/).at(-1) ?? ''))];
  const title = names.length === 1 ? `${names[0] ?? ''}: variants compared` : `${names.length} runs compared`;
  const curves = sides.flatMap(({ runs }, variant) => runs.flatMap((run) => curvesOf(run, variant)));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} — Athanor</title>
<style>${new Html(style)}</style>
</head>
<body>
<header><h1>${title}</h1>
<p class="soft">${names.join(', ')}</p></header>
${metrics.map(metricSection)}
${resultSection(sides)}
${curveSection(curves, sides)}
${configSection(sides)}
</body>
</html>
`.text;
}

function metricSection(comparison: MetricComparison): Html {
  const { metric, against, rows } = comparison;
  const body = rows.map((row, index) => {
    const { contrast } = row;
    const estimate = contrast?.estimate;
    const cells = estimate === undefined
      ? html`<td class="number soft">base</td><td></td><td></td>`
      : html`<td class="number">${estimate.interval === undefined ? shownDifference(metric, estimate.mean) : `${shownDifference(metric, estimate.mean)} (${shownDifference(metric, estimate.interval.low)} … ${shownDifference(metric, estimate.interval.high)})`}</td>
<td class="number">${contrast?.p === undefined ? '–' : shownP(contrast.p)}</td><td>${contrast?.real === true ? html`<b>real</b>` : html`<span class="soft">${estimate.reason ?? 'may be chance'}</span>`}${estimate.method === 'Welch t' ? html` <span class="soft">(other seeds: not paired)</span>` : undefined}</td>`;
    return html`<tr><td>${mark(index)}${row.name}</td><td class="number">${row.values.size}</td>${cells}</tr>`;
  });
  return html`<section><h2>${metric}: differences from ${against}</h2>
<div class="scroll"><table><thead><tr><th>variant</th><th class="number">seeds</th><th class="number">difference (95 %)${metricAxis(metric).percent === true ? ', points' : ''}</th><th class="number">p</th><th></th></tr></thead><tbody>${body}</tbody></table></div>
<p class="soft">Paired by seed where both have the same seeds. p is two-sided and corrected for all differences of the table (Holm); below 0.05 a difference is called real. Intervals are not corrected.</p>
<div class="row">${differenceFigure(comparison)}${pairFigure(comparison)}</div></section>`;
}

function differenceFigure({ metric, against, rows }: MetricComparison): Html | undefined {
  const marks = rows.flatMap(({ name, contrast }, look) => {
    if (contrast === undefined || !Number.isFinite(contrast.estimate.mean)) return [];
    const { mean, interval } = contrast.estimate;
    return [{ name: contrast.real ? `${name} *` : name, look, value: mean, low: interval?.low, high: interval?.high }];
  });
  if (marks.length === 0) return undefined;
  const axis = metricAxis(metric);
  const chart = estimateChart({ marks, x: { ...axis, label: `difference in ${axis.label}` }, rules: [0] });
  return html`<figure>${new Html(chart)}<figcaption>${metric} minus that of ${against}, 95 % intervals</figcaption></figure>`;
}

/** All pairs as a map: row minus column, real ones with a star. */
function pairFigure({ metric, rows, pairs }: MetricComparison): Html | undefined {
  if (pairs === undefined) return undefined;
  const names = rows.map(({ name }) => name);
  const cells = pairs.flatMap((row, y) =>
    row.flatMap((contrast, x) => {
      const value = contrast?.estimate.mean;
      if (value === undefined || !Number.isFinite(value)) return [];
      return [{ x: names[x] ?? '', y: names[y] ?? '', value, text: `${shownDifference(metric, value)}${contrast?.real === true ? '*' : ''}` }];
    }),
  );
  if (cells.length === 0) return undefined;
  const map = heatMap({ cells, columns: names, rows: names, x: 'minus', y: '', value: { ...metricAxis(metric), label: `difference in ${metric}` }, center: 0 });
  return html`<figure class="matrix">${new Html(map)}<figcaption>${metric}: row minus column; * real, corrected for all pairs</figcaption></figure>`;
}

function shownDifference(metric: string, value: number): string {
  if (!Number.isFinite(value)) return '–';
  const text = metricAxis(metric).percent === true ? (100 * value).toFixed(2) : formatNumber(value);
  return `${value > 0 ? '+' : ''}${text}`;
}
