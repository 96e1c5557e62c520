// Figures among a stage's artifacts: described by `NAME.figure.json`, or pictures as they are.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import * as z from 'zod';
import type { Variant } from '../analysis/summary.ts';
import { estimateChart, heatMap, histogram, lineChart } from '../plot/index.ts';
import { figureEnding, figureSchema } from './figure.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { variantTitle } from './parts.ts';

/** A figure as it is shown. */
export interface ShownFigure {
  /** The file's name without its figureEnding. */
  readonly name: string;
  readonly caption: string;
  /** Of an `<img>`; absent if the figure could not be drawn, as the caption then says. */
  readonly source?: string;
}

/** The figures in a stage's folder, by name. One that is not right says what is wrong, in its place. */
export function readFigures(folder: string): ShownFigure[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => !file.startsWith('.')).toSorted();
  const described = files.filter((file) => file.endsWith(figureEnding)).map((file) => readFigure(folder, file));
  const named = new Set(described.map(({ file }) => file));
  const bare = files.filter((file) => /\.(svg|png)$/.test(file) && !named.has(file)).map((file) => ({ file, ...pictureOf(folder, file, file) }));
  return [...described, ...bare].map(({ file: _, ...figure }) => figure).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readFigure(folder: string, file: string): ShownFigure & { readonly file?: string } {
  const name = basename(file, figureEnding);
  try {
    const figure = figureSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    if ('file' in figure) return { ...pictureOf(folder, figure.file, figure.caption), name, file: figure.file };
    return { name, caption: figure.caption, source: svgSource(drawFigure(figure)) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    return { name, caption: `${file} cannot be drawn: ${reason}` };
  }
}

function drawFigure(figure: Exclude<z.output<typeof figureSchema>, { file: string }>): string {
  if ('lines' in figure) return lineChart(figure.lines);
  if ('estimates' in figure) return estimateChart(figure.estimates);
  if ('heat' in figure) return heatMap(figure.heat);
  return histogram(figure.histogram);
}

function pictureOf(folder: string, file: string, caption: string): ShownFigure {
  const path = join(folder, file);
  const name = basename(file, extname(file));
  if (!existsSync(path)) return { name, caption: `there is no ${file}` };
  const bytes = readFileSync(path);
  return { name, caption, source: file.endsWith('.png') ? `data:image/png;base64,${bytes.toString('base64')}` : svgSource(bytes.toString('utf8')) };
}

/** An SVG as the source of an image: its scripts, if it has any, do not run there. */
function svgSource(svg: string): string {
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}

/** How many variants' figures a report holds. */
export const figureVariants = 8;

/** A stage's figures. */
export interface StageFigures {
  readonly variant: number;
  readonly stage: string;
  readonly figures: readonly ShownFigure[];
}

export function figureSection(left: readonly StageFigures[], variants: readonly Variant[]): Html | undefined {
  if (left.length === 0) return undefined;
  const notes = [
    ...(variants.some(({ runs }) => runs.length > 1) ? ['Of each variant’s first seed.'] : []),
    ...(variants.length > figureVariants ? [`The first ${figureVariants} of ${variants.length} variants.`] : []),
  ];
  const parts = [...new Set(left.map(({ variant }) => variant))].map((index) => {
    const shown = left.filter(({ variant }) => variant === index);
    return html`${variantTitle(variants, index)}${shown.map(({ stage, figures }) => html`${shown.length > 1 ? html`<p class="soft">Stage ${stage}:</p>` : undefined}<div class="row">${figures.map(figureOf)}</div>`)}`;
  });
  return html`<section><h2>Figures</h2>${notes.length > 0 ? html`<p class="soft">${notes.join(' ')}</p>` : undefined}${parts}</section>`;
}

function figureOf({ name, caption, source }: ShownFigure): Html {
  if (source === undefined) return html`<figure class="drawn" title="${name}"><figcaption><b>${caption}</b></figcaption></figure>`;
  return html`<figure class="drawn" title="${name}"><img alt="${caption}" src="${source}"><figcaption>${caption}</figcaption></figure>`;
}
