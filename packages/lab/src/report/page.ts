// The report of a study as one page: what was asked, what came out, how it went, and with what.
import type { Variant } from '../analysis/summary.ts';
import type { Judgement } from '../claims/evaluate.ts';
import type { StudyRecord } from '../run/study.ts';
import type { Environment } from '../run/environment.ts';
import { claimSection } from './claims.ts';
import type { Curve } from './curves.ts';
import { figureSection } from './figures.ts';
import type { StageFigures } from './figures.ts';
import { Html, html } from './html.ts';
import { confusionSection, imageSection } from './images.ts';
import type { Evaluations } from './images.ts';
import { curveSection } from './learning.ts';
import { resultSection } from './results.ts';
import { configSection, environmentSection } from './setting.ts';
import { style } from './style.ts';
import { weightSection } from './weights.ts';
import type { ModelWeights } from './weights.ts';

/** All that the page shows. */
export interface ReportContent {
  readonly record: StudyRecord;
  /** How many runs are done, of how many. */
  readonly done: number;
  readonly variants: readonly Variant[];
  readonly judgements: readonly Judgement[];
  readonly curves: readonly Curve[];
  readonly evaluations: Evaluations;
  readonly figures: readonly StageFigures[];
  readonly weights: readonly ModelWeights[];
  readonly environments: readonly Environment[];
}

export function reportPage(content: ReportContent): string {
  const { record } = content;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${record.name} — Athanor report</title>
<style>${new Html(style)}</style>
</head>
<body>
${reportBody(content)}
</body>
</html>
`;
  return page.text;
}

/** The page without its frame. */
export function reportBody({ record, done, variants, judgements, curves, evaluations, figures, weights, environments }: ReportContent): Html {
  const runs = record.jobs.length;
  const state = done === runs ? '' : ` — ${done} of ${runs} runs are done`;
  return html`<header>
<h1>${record.name}</h1>
${record.question === null ? undefined : html`<p class="question">${record.question}</p>`}
<p class="soft">${variants.length} ${variants.length === 1 ? 'variant' : 'variants'}, ${runs} ${runs === 1 ? 'run' : 'runs'}, begun ${record.created.slice(0, 16).replace('T', ' ')} UTC${state}</p>
</header>
${claimSection(judgements)}
${resultSection(variants)}
${curveSection(curves, variants)}
${figureSection(figures, variants)}
${confusionSection(evaluations, variants)}
${imageSection(evaluations, variants)}
${weightSection(weights, variants)}
${configSection(variants)}
${environmentSection(environments)}`;
}
