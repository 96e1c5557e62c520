// What a classifier answered: confusion as heat maps, and grids of test images.
import type { Variant } from '../analysis/summary.ts';
import { heatMap } from '../plot/index.ts';
import type { Evaluation, Picture } from './evaluation.ts';
import { Html, html } from './html.ts';
import { variantTitle } from './parts.ts';

/** By variant; confusions are added over seeds, pictures are the first seed's. */
export type Evaluations = ReadonlyMap<number, Evaluation>;

/** How many variants are shown in full. */
const shownVariants = 6;

export function confusionSection(evaluations: Evaluations, variants: readonly Variant[]): Html | undefined {
  if (evaluations.size === 0) return undefined;
  const charts = [...evaluations].slice(0, shownVariants).map(([variant, { confusion, classes }]) => {
    const runs = variants[variant]?.runs.length ?? 1;
    const caption = runs > 1 ? html`<figcaption>${runs} runs together</figcaption>` : undefined;
    return html`<figure class="matrix">${variantTitle(variants, variant)}${new Html(confusionMap(confusion, classes))}${caption}</figure>`;
  });
  return html`<section><h2>Confusion</h2><p class="soft">Numbers of test images; shades are shares of each truth’s images.</p>${leftOut(evaluations)}<div class="row">${charts}</div></section>`;
}

function confusionMap(confusion: Evaluation['confusion'], classes: readonly string[]): string {
  const cells = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, answer) => ({ x: classes[answer] ?? '', y: classes[truth] ?? '', value: count / Math.max(1, total), text: count === 0 ? '' : String(count) }));
  });
  const digits = String(Math.max(...confusion.flat())).length;
  return heatMap({ cells, columns: classes, rows: classes, x: 'answer', y: 'truth', value: { label: 'share of truth', percent: true, domain: [0, 1] }, labels: classes.length <= 20, cell: classes.length <= 20 ? Math.max(24, 6 + 6.1 * digits) : 14 });
}

export function imageSection(evaluations: Evaluations, variants: readonly Variant[]): Html | undefined {
  const parts = [...evaluations]
    .filter(([, { pictures }]) => pictures.length > 0)
    .slice(0, shownVariants)
    .map(([variant, { pictures, classes }]) => {
      const wrong = pictures.filter(({ label, predicted }) => label !== predicted);
      const right = pictures.filter(({ label, predicted }) => label === predicted);
      return html`${variantTitle(variants, variant)}
<p class="soft">Wrong: the answer, how sure the model was, and the truth.</p>
<div class="pictures">${wrong.map((picture) => imageFigure(picture, classes))}</div>
<p class="soft">Right:</p>
<div class="pictures">${right.map((picture) => imageFigure(picture, classes))}</div>`;
    });
  return parts.length === 0 ? undefined : html`<section><h2>Test images</h2>${leftOut(evaluations)}${parts}</section>`;
}

function leftOut({ size }: Evaluations): Html | undefined {
  return size > shownVariants ? html`<p class="soft">The first ${shownVariants} of ${size} variants.</p>` : undefined;
}

function imageFigure({ label, predicted, confidence, png, index }: Picture, classes: readonly string[]): Html {
  const right = label === predicted;
  const truth = classes[label] ?? String(label);
  const answer = classes[predicted] ?? String(predicted);
  return html`<figure class="${right ? 'right' : 'wrong'}"><img alt="test image ${index}, ${truth}" src="data:image/png;base64,${png}"><figcaption><b>${answer}</b> <span class="sure">${Math.round(100 * confidence)} %</span>${right ? undefined : html`<br>is ${truth}`}</figcaption></figure>`;
}
