// Heat map: a number for each pair of names, as a shade and as text.
import * as Plot from '@observablehq/plot';
import { axisTitle, draw, escapeText, factorOf, letterWidth, shorten } from './draw.ts';
import type { Axis } from './draw.ts';
import { formatNumber } from '../terminal/format.ts';

export interface HeatCell {
  readonly x: string;
  readonly y: string;
  readonly value: number;
  /** Shown in the cell instead of the value. */
  readonly text?: string | undefined;
}

export interface HeatMap {
  readonly cells: readonly HeatCell[];
  /** Columns and rows in their order; as they come if absent. */
  readonly columns?: readonly string[] | undefined;
  readonly rows?: readonly string[] | undefined;
  readonly x: string;
  readonly y: string;
  readonly value: Axis;
  /** Shades run from this value in two colours, instead of from the least in one. */
  readonly center?: number | undefined;
  /** Texts in the cells; true if absent. */
  readonly labels?: boolean | undefined;
  /** Side of a cell in pixels. */
  readonly cell?: number | undefined;
}

const faintest = 0.05;
const strongest = 0.9;

/** SVG text of the map. A pair without a number is left empty, one that is not finite says so. */
export function heatMap(options: HeatMap): string {
  const { cells, value, center, labels = true } = options;
  const columns = options.columns ?? [...new Set(cells.map(({ x }) => x))];
  const rows = options.rows ?? [...new Set(cells.map(({ y }) => y))];
  const texts = cells.map((cell) => cell.text ?? (value.percent === true && Number.isFinite(cell.value) ? (100 * cell.value).toFixed(1) : formatNumber(cell.value)));
  const longest = (names: readonly string[]) => Math.max(0, ...names.map((name) => name.length));
  const side = options.cell ?? Math.max(30, labels ? letterWidth * longest(texts) + 12 : 14);
  const tall = Math.min(side, 34);
  const upright = longest(columns) * letterWidth <= side - 4;
  const left = 36 + letterWidth * Math.min(32, longest(rows));
  const bottom = 34 + (upright ? 12 : letterWidth * Math.min(24, longest(columns)));
  const shade = shadeOf(cells, value, center);
  const shown = cells.map((cell, index) => ({ ...cell, label: texts[index] ?? '', ...shade.of(cell.value) }));
  const gridWidth = side * columns.length;
  const width = Math.ceil(Math.max(left + gridWidth + 16, 260));
  return draw(
    {
      width,
      height: Math.ceil(10 + tall * rows.length + bottom),
      marginLeft: left,
      marginRight: width - left - gridWidth,
      marginTop: 10,
      marginBottom: bottom,
      x: { type: 'band', domain: columns, label: options.x, padding: 0.04, tickSize: 0, tickRotate: upright ? 0 : -90, tickFormat: (name: string) => shorten(name, 24), labelAnchor: 'right' },
      y: { type: 'band', domain: rows, label: options.y, padding: 0.04, tickSize: 0, tickFormat: (name: string) => shorten(name, 32) },
      marks: [
        Plot.cell(shown, { x: 'x', y: 'y', fill: 'color', fillOpacity: 'opacity' }),
        ...(labels ? [Plot.text(shown, { x: 'x', y: 'y', text: 'label', fill: 'ink', fontSize: 11 })] : []),
      ],
      opacity: { type: 'identity' },
      color: { type: 'identity' },
    },
    { title: `${axisTitle(value)} by ${options.y} and ${options.x}`, header: { text: shade.ramp, height: 40 } },
  ).svg;
}

function shadeOf(cells: readonly HeatCell[], axis: Axis, center: number | undefined) {
  const place = (value: number) => (axis.scale === 'log' ? Math.log10(value) : value);
  const finite = cells.map(({ value }) => value).filter((value) => Number.isFinite(place(value)));
  const low = axis.domain?.[0] ?? Math.min(...finite);
  const high = axis.domain?.[1] ?? Math.max(...finite);
  const reach = center === undefined ? 0 : Math.max(Math.abs(high - center), Math.abs(low - center));
  const share = (value: number) => {
    if (center !== undefined) return reach === 0 ? 0 : (value - center) / reach;
    return place(high) === place(low) ? 1 : (place(value) - place(low)) / (place(high) - place(low));
  };
  const of = (value: number) => {
    const part = Math.min(1, Math.max(-1, share(value)));
    if (!Number.isFinite(part)) return { color: 'var(--line)', opacity: 0.5, ink: 'var(--wrong)' };
    return { color: part < 0 ? 'var(--low)' : 'var(--high)', opacity: faintest + (strongest - faintest) * Math.abs(part), ink: 'var(--text)' };
  };
  const ends: readonly [number, number] = center === undefined ? [low, high] : [center - reach, center + reach];
  return { of, ramp: rampText({ axis, ends, of, logarithmic: axis.scale === 'log' && center === undefined }) };
}

/** The scale of shades, above the map. */
function rampText({ axis, ends: [low, high], of, logarithmic }: {
  readonly axis: Axis;
  readonly ends: readonly [number, number];
  readonly of: (value: number) => { readonly color: string; readonly opacity: number };
  readonly logarithmic: boolean;
}): string {
  const steps = 24;
  const size = 5;
  const at = (part: number) => (logarithmic ? low * (high / low) ** part : low + (high - low) * part);
  const show = (value: number) => formatNumber(Number((value * factorOf(axis)).toPrecision(3)));
  const begin = 16 + letterWidth * show(low).length;
  const boxes = Array.from({ length: steps }, (_, index) => {
    const { color, opacity } = of(at((index + 0.5) / steps));
    return `<rect x="${begin + index * size}" y="24" width="${size}" height="10" fill="${color}" fill-opacity="${opacity}"/>`;
  });
  return `<g text-anchor="start"><text x="10" y="14">${escapeText(axisTitle(axis))}</text><text x="10" y="33">${show(low)}</text>${boxes.join('')}<text x="${begin + steps * size + 6}" y="33">${show(high)}</text></g>`;
}
