// From Observable Plot's marks to a picture that needs nothing else: SVG text with its own colours and legend.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { colorOf, seriesCount, themeRules } from './theme.ts';

/** What an axis measures. */
export interface Axis {
  readonly label: string;
  /** Shown behind the label in brackets: `ms`, `nats`. */
  readonly unit?: string | undefined;
  /** The values are shares of 1 and shown as percent. */
  readonly percent?: boolean | undefined;
  readonly scale?: 'linear' | 'log' | undefined;
  /** Least and greatest value shown, in the values' own unit; from the data if absent. */
  readonly domain?: readonly [number, number] | undefined;
}

/** How values became places, to find a value under a pointer. */
export interface DrawnScale {
  readonly type: 'linear' | 'log';
  /** As shown: percent are multiplied already. */
  readonly domain: readonly [number, number];
  /** In the picture's units. */
  readonly range: readonly [number, number];
}

/** A picture and its scales. */
export interface Drawn {
  readonly svg: string;
  readonly x: DrawnScale | undefined;
  readonly y: DrawnScale | undefined;
}

/** A line of the legend. */
export interface LegendEntry {
  readonly name: string;
  readonly look: number;
  readonly mark: 'line' | 'dot' | 'square';
}

export interface DrawOptions {
  /** What the picture shows, for those who cannot see it. */
  readonly title: string;
  readonly legend?: readonly LegendEntry[];
  /** SVG text above the picture, instead of a legend. */
  readonly header?: { readonly text: string; readonly height: number };
}

/** Pixels a letter takes at the size of labels, on the average. */
export const letterWidth = 6.1;

const legendRow = 18;
const dashes = [undefined, '6 3', '2 3', '9 3 2 3'] as const;
const symbols = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star', 'wye', 'hexagon'] as const;

/** Dashes of the series at `index`: the first ones are whole lines. */
export function dashOf(index: number): string | undefined {
  return dashes[Math.floor(index / seriesCount) % dashes.length];
}

/** Symbol of the series at `index`. */
export function symbolOf(index: number): Plot.SymbolType {
  return symbols[index % symbols.length] ?? 'circle';
}

/** `accuracy (%)`. */
export function axisTitle({ label, unit, percent }: Axis): string {
  const shown = percent === true ? '%' : unit;
  return shown === undefined || shown === '' ? label : `${label} (${shown})`;
}

/** What a value is multiplied by when it is shown. */
export function factorOf({ percent }: Axis): number {
  return percent === true ? 100 : 1;
}

/** Options of a Plot scale for an axis with about `count` ticks; `values` are those shown on it, multiplied already. */
export function scaleOf(axis: Axis, { values, count }: { readonly values: Iterable<number>; readonly count: number }): Plot.ScaleOptions {
  const given = axis.domain?.map((value) => value * factorOf(axis));
  const label = axisTitle(axis);
  if (axis.scale !== 'log') return { label, type: 'linear', ticks: count, ...(given === undefined ? {} : { domain: given }) };
  const [low, high] = given ?? extentOf(values);
  return { label, type: 'log', ticks: logTicks(low ?? 1, high ?? 10, count), tickFormat: formatTick, ...(given === undefined ? {} : { domain: given }) };
}

/** Least and greatest of the finite values; 0 and 1 if there are none. */
export function extentOf(values: Iterable<number>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? [0, 1] : [low, high];
}

/** Powers of ten, with 2 and 5 between them or more where there is room. */
function logTicks(low: number, high: number, count: number): number[] {
  const decades = Math.log10(high / low);
  if (!(low > 0) || !(decades > 0)) return [low];
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const digits = decades < count / 6 ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9] : decades < count / 2 ? [1, 2, 5] : [1];
  const every = digits.length > 1 ? 1 : Math.max(1, Math.round(decades / count));
  const powers = Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((power) => power % every === 0);
  return powers.flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`))).filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

function formatTick(value: number): string {
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? value.toLocaleString('en-US', { maximumSignificantDigits: 6 }) : value.toExponential().replace('e+', 'e');
}

/** Draws marks with a legend above them. */
export function draw(plot: Plot.PlotOptions & { readonly width: number; readonly height: number }, { title, legend = [], header = drawLegend(legend, plot.width) }: DrawOptions): Drawn {
  const { document } = parseHTML('<html><body></body></html>');
  const chart = Plot.plot({ document, ...plot });
  for (const style of chart.querySelectorAll('style')) style.remove();
  const { width, height } = plot;
  const body = rounded(chart.innerHTML);
  const total = height + header.height;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" class="athanor-plot" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" role="img" aria-label="${escapeText(title)}" fill="currentColor" font-family="system-ui, sans-serif" font-size="11" text-anchor="middle"><style>${themeRules('.athanor-plot')}.athanor-plot{color:var(--text);max-width:100%;height:auto}.athanor-plot text{white-space:pre}</style><rect width="${width}" height="${total}" fill="var(--ground)"/>${header.text}<g transform="translate(0,${header.height})">${body}</g></svg>`;
  return { svg, x: drawnScale(chart.scale('x'), 0), y: drawnScale(chart.scale('y'), header.height) };
}

function drawnScale(scale: Plot.Scale | undefined, shift: number): DrawnScale | undefined {
  if (scale === undefined || (scale.type !== 'linear' && scale.type !== 'log')) return undefined;
  const [from, to] = [...(scale.domain ?? [])].map(Number);
  const [start, end] = [...(scale.range ?? [])].map(Number);
  if (from === undefined || to === undefined || start === undefined || end === undefined) return undefined;
  return { type: scale.type, domain: [from, to], range: [start + shift, end + shift] };
}

/** Names with their marks, in as many rows as they need. */
function drawLegend(entries: readonly LegendEntry[], width: number): { readonly text: string; readonly height: number } {
  let x = 10;
  let row = 0;
  const parts = entries.map(({ name, look, mark }) => {
    const shown = shorten(name, Math.floor((width - 50) / letterWidth));
    const needed = 44 + 1.08 * letterWidth * shown.length;
    if (x > 10 && x + needed > width) {
      x = 10;
      row++;
    }
    const y = 12 + row * legendRow;
    const part = `${drawMark(mark, look, x, y)}<text x="${x + 28}" y="${y}" dy="0.34em" text-anchor="start">${escapeText(shown)}${shown === name ? '' : `<title>${escapeText(name)}</title>`}</text>`;
    x += needed;
    return part;
  });
  return { text: parts.join(''), height: entries.length === 0 ? 0 : (row + 1) * legendRow + 6 };
}

function drawMark(mark: LegendEntry['mark'], look: number, x: number, y: number): string {
  const color = colorOf(look);
  switch (mark) {
    case 'line': {
      const dash = dashOf(look);
      return `<line x1="${x}" x2="${x + 22}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="2.5"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`;
    }
    case 'dot':
      return `<path d="${symbolPath(look)}" transform="translate(${x + 14},${y})" fill="${color}"/>`;
    case 'square':
      return `<rect x="${x + 8}" y="${y - 6}" width="12" height="12" rx="2" fill="${color}"/>`;
  }
}

/** The outline of a series' symbol, as Plot draws it. */
function symbolPath(look: number): string {
  const { document } = parseHTML('<html><body></body></html>');
  const chart = Plot.plot({ document, width: 20, height: 20, axis: null, marks: [Plot.dot([0], { frameAnchor: 'middle', symbol: symbolOf(look), r: 5, fill: 'black' })] });
  const shape = chart.querySelector('path');
  return shape?.getAttribute('d') ?? 'M-5,0A5,5,0,1,1,5,0A5,5,0,1,1,-5,0Z';
}

/** A text cut to a number of letters. */
export function shorten(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;
}

/** Two decimals are enough for places on a screen, and halve the file. Texts stay as they are. */
function rounded(svg: string): string {
  return svg.replaceAll(/<[^>]*>/g, (tag) => tag.replaceAll(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))));
}

/** Text as it may stand in SVG. */
export function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
