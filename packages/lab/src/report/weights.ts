// Histograms of trained weights, from the model that a stage has left.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, toFloat32 } from '@athanor/data';
import { spread } from '../analysis/curves.ts';
import type { Variant } from '../analysis/summary.ts';
import { histogram } from '../plot/index.ts';
import { Html, html } from './html.ts';
import { variantTitle } from './parts.ts';

/** Weights of a model: those with two dimensions or more. */
export interface ModelWeights {
  readonly variant: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array }[];
}

/** How many variants, and how many tensors of each, are shown. */
const shownVariants = 4;
const shownTensors = 8;

/** Reads the weights of a variant's model from a stage's folder; undefined if it left none. */
export function readWeights(folder: string, variant: number): ModelWeights | undefined {
  const path = join(folder, 'model.safetensors');
  if (!existsSync(path) || variant >= shownVariants) return undefined;
  const tensors = [...readSafetensors(readFileSync(path), path).tensors]
    .filter(([, { shape }]) => shape.length > 1)
    .map(([name, stored]) => ({ name, shape: stored.shape, values: toFloat32(stored) }));
  return tensors.length === 0 ? undefined : { variant, tensors: spread(tensors, shownTensors) };
}

export function weightSection(models: readonly ModelWeights[], variants: readonly Variant[]): Html | undefined {
  if (models.length === 0) return undefined;
  const parts = models.map(({ variant, tensors }) => {
    const charts = tensors.map(({ name, shape, values }) => {
      const chart = histogram({ series: [{ name, values, look: variant }], x: { label: 'weight' }, bins: 30, width: 262, height: 150 });
      return html`<figure class="small">${new Html(chart)}<figcaption>${name} [${shape.join(', ')}]</figcaption></figure>`;
    });
    return html`${variantTitle(variants, variant)}<div class="row">${charts}</div>`;
  });
  return html`<section><h2>Weights</h2><p class="soft">After training, the first seed’s; at most ${shownTensors} tensors from first to last layer.</p>${parts}</section>`;
}
