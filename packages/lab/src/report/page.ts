// The report of a study as one page: what was asked, what came out, how it went, and with what.
import { stringify } from 'yaml';
import type { Variant } from '../analysis/summary.ts';
import type { StudyRecord } from '../run/study.ts';
import type { Environment } from '../run/environment.ts';
import { formatDuration } from '../terminal/format.ts';
import { formatEstimate } from '../terminal/summary.ts';
import { colorOf, confusionChart, curvesChart, intervalChart } from './charts.ts';
import type { Curve } from './charts.ts';
import type { Evaluation, Picture } from './evaluation.ts';
import { Html, html } from './html.ts';
import { style } from './style.ts';

/** All that the page shows. */
export interface ReportContent {
  readonly record: StudyRecord;
  /** How many runs are done, of how many. */
  readonly done: number;
  readonly variants: readonly Variant[];
  readonly curves: readonly Curve[];
  /** By variant; confusions are added over seeds, pictures are the first seed's. */
  readonly evaluations: ReadonlyMap<number, Evaluation>;
  readonly environments: readonly Environment[];
}

export function reportPage(content: ReportContent): string {
  const { record, done, variants } = content;
  const runs = record.jobs.length;
  const state = done === runs ? '' : ` — ${done} of ${runs} runs are done`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${record.name} — Athanor report</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${record.name}</h1>
${record.question === null ? undefined : html`<p class="question">${record.question}</p>`}
<p class="soft">${variants.length} ${variants.length === 1 ? 'variant' : 'variants'}, ${runs} ${runs === 1 ? 'run' : 'runs'}, begun ${record.created.slice(0, 16).replace('T', ' ')} UTC${state}</p>
</header>
${resultSection(variants)}
${curveSection(content)}
${confusionSection(content)}
${pictureSection(content)}
${configSection(variants)}
${environmentSection(content.environments)}
</body>
</html>
`;
  return page.text;
}

function resultSection(variants: readonly Variant[]): Html {
  const metrics = [...new Set(variants.flatMap(({ estimates }) => [...estimates.keys()]))];
  const accuracies = variants.flatMap(({ name, estimates }, variant) => {
    const estimate = estimates.get('test.accuracy');
    return estimate === undefined || estimate.values.length === 0 ? [] : [{ name, variant, estimate }];
  });
  const best = accuracies.toSorted((a, b) => b.estimate.mean - a.estimate.mean)[0];
  const rows = variants.map(({ name, runs, estimates, seconds }, index) => html`<tr>
<td>${mark(index)}${name}</td><td class="number">${runs.length}</td>
${metrics.map((metric) => html`<td class="number${metric === 'test.accuracy' && best?.variant === index && variants.length > 1 ? ' best' : ''}">${formatEstimate(metric, estimates.get(metric))}</td>`)}
<td class="number">${formatDuration(seconds)}</td></tr>`);
  return html`<section><h2>Result</h2>
<div class="scroll"><table><thead><tr><th>variant</th><th class="number">runs</th>${metrics.map((metric) => html`<th class="number">${metric}</th>`)}<th class="number">time</th></tr></thead><tbody>${rows}</tbody></table></div>
${best === undefined ? undefined : html`<p class="soft">${intervalText(best.estimate.method)}</p>
<figure>${intervalChart(accuracies, 'test accuracy')}</figure>`}</section>`;
}

function intervalText(method: 'student' | 'wilson' | 'none'): string {
  switch (method) {
    case 'student':
      return 'Brackets: 95 % intervals for the mean over seeds (Student’s t). They tell how much the seed matters, not the choice of test images.';
    case 'wilson':
      return 'Brackets: 95 % Wilson intervals over the test images. One seed each: how much the seed matters cannot be seen here.';
    case 'none':
      return '';
  }
}

function curveSection({ curves, variants }: ReportContent): Html | undefined {
  const families = new Map<string, Curve[]>();
  for (const curve of curves.filter(({ points }) => points.length > 1)) {
    const family = curve.metric.replace(/^[^.]+\./, '');
    families.set(family, [...(families.get(family) ?? []), curve]);
  }
  if (families.size === 0) return undefined;
  const charts = [...families].map(([family, members]) => {
    const measured = [...new Set(members.map(({ metric }) => metric))];
    const training = measured.some((metric) => metric.startsWith('train.'));
    const caption = `${measured.join(', ')}${training ? ' (thin: while training, smoothed)' : ''}`;
    return html`<figure>${curvesChart(members, family, family === 'accuracy')}<figcaption>${caption}</figcaption></figure>`;
  });
  return html`<section><h2>Learning curves</h2>${legend(variants)}<div class="row">${charts}</div></section>`;
}

function confusionSection({ evaluations, variants }: ReportContent): Html | undefined {
  if (evaluations.size === 0) return undefined;
  const charts = [...evaluations].map(([variant, { confusion, classes }]) => {
    const runs = variants[variant]?.runs.length ?? 1;
    const caption = `rows: truth, columns: answer; test images${runs > 1 ? ` of ${runs} runs together` : ''}`;
    return html`<figure class="matrix"><h3>${mark(variant)}${variants[variant]?.name ?? ''}</h3>${confusionChart(confusion, classes)}<figcaption>${caption}</figcaption></figure>`;
  });
  return html`<section><h2>Confusion</h2><div class="row">${charts}</div></section>`;
}

function pictureSection({ evaluations, variants }: ReportContent): Html | undefined {
  const parts = [...evaluations]
    .filter(([, { pictures }]) => pictures.length > 0)
    .map(([variant, { pictures, classes }]) => {
      const wrong = pictures.filter(({ label, predicted }) => label !== predicted);
      const right = pictures.filter(({ label, predicted }) => label === predicted);
      return html`<h3>${mark(variant)}${variants[variant]?.name ?? ''}</h3>
<p class="soft">Wrong: the answer, how sure the model was, and the truth.</p>
<div class="pictures">${wrong.map((picture) => pictureFigure(picture, classes))}</div>
<p class="soft">Right:</p>
<div class="pictures">${right.map((picture) => pictureFigure(picture, classes))}</div>`;
    });
  return parts.length === 0 ? undefined : html`<section><h2>Test images</h2>${parts}</section>`;
}

function pictureFigure({ label, predicted, confidence, png, index }: Picture, classes: readonly string[]): Html {
  const right = label === predicted;
  const truth = classes[label] ?? String(label);
  const answer = classes[predicted] ?? String(predicted);
  return html`<figure class="${right ? 'right' : 'wrong'}"><img alt="test image ${index}, ${truth}" src="data:image/png;base64,${png}"><figcaption><b>${answer}</b> <span class="sure">${Math.round(100 * confidence)} %</span>${right ? undefined : html`<br>is ${truth}`}</figcaption></figure>`;
}

function configSection(variants: readonly Variant[]): Html {
  const configs = variants.map(({ name, runs }, index) => {
    const [first] = runs;
    return html`<details${index === 0 ? new Html(' open') : undefined}><summary>${mark(index)}${name}</summary><pre>${stringify(first?.config ?? {})}</pre></details>`;
  });
  return html`<section><h2>Resolved config</h2><p class="soft">With every default; the first seed’s of each variant.</p>${configs}</section>`;
}

function environmentSection(environments: readonly Environment[]): Html | undefined {
  const last = environments.at(-1);
  if (last === undefined) return undefined;
  const packages = Object.entries(last.packages).map(([name, version]) => `${name} ${version}`).join(', ');
  const rows: [string, string][] = [
    ['command', last.command],
    ['commit', last.git === null ? 'no git repository' : `${last.git.commit}${last.git.dirty ? ', with changes that are not committed' : ''}`],
    ['backend', last.backend === undefined ? 'none' : `${last.backend}, ${last.threads ?? 1} ${last.threads === 1 ? 'thread' : 'threads'}`],
    ['numerics', last.numerics ?? ''],
    ['node', `${last.node}, V8 ${last.v8}`],
    ['machine', `${last.cpu}, ${last.cores} cores, ${last.memory}, ${last.system}`],
    ['packages', packages],
    ['attempts', `${environments.length}, the last one begun ${last.started}`],
  ];
  const shown = rows.filter(([, value]) => value !== '');
  return html`<section><h2>Environment</h2><table><tbody>${shown.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</tbody></table></section>`;
}

function legend(variants: readonly Variant[]): Html {
  return html`<div class="legend">${variants.map(({ name }, index) => html`<span>${mark(index)}${name}</span>`)}</div>`;
}

function mark(variant: number): Html {
  return html`<span class="dot" style="background:${colorOf(variant)}"></span>`;
}
