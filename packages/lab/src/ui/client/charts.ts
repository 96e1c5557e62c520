// The curves: drawn by the server, read off here under the pointer.
import type { Chart, Charts } from '../charts.ts';
import { element, formatNumber, part } from './dom.ts';

/** More names than these are left to the table and the pointer. */
const mostNamed = 24;

/** Puts charts on the page, in place of those that were there. */
export function showCharts({ charts, legend }: Charts): void {
  part('charts', HTMLDivElement).replaceChildren(...charts.map(figureOf));
  const named = legend.length > 1 ? legend.slice(0, mostNamed) : [];
  const rest = legend.length > mostNamed ? [element('span', { class: 'soft' }, `and ${legend.length - mostNamed} more`)] : [];
  part('legend', HTMLDivElement).replaceChildren(...named.map(({ name, look }) => element('span', {}, lineMark(look), name)), ...rest);
}

/** How wide a chart should be drawn so that its texts have the page's size. */
export function chartWidth(): number {
  const place = part('charts', HTMLDivElement);
  const columns = getComputedStyle(place).gridTemplateColumns.split(' ').filter((width) => width.endsWith('px'));
  const width = Number.parseFloat(columns[0] ?? '');
  return Math.round(Math.min(700, Math.max(340, Number.isFinite(width) ? width : 440)) / 20) * 20;
}

/** A piece of a curve's line. */
function lineMark(look: number): SVGSVGElement {
  const mark = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  const dashes = ['', '6 3', '2 3', '9 3 2 3'];
  const attributes = { x1: '0', x2: '22', y1: '5', y2: '5', 'stroke-width': '2.5', stroke: `var(--series-${look % 8})`, 'stroke-dasharray': dashes[Math.floor(look / 8) % 4] ?? '' };
  for (const [name, value] of Object.entries({ width: '22', height: '10' })) mark.setAttribute(name, value);
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  mark.append(line);
  return mark;
}

function figureOf(chart: Chart): HTMLElement {
  const figure = element('figure', { 'data-metric': chart.metric });
  figure.innerHTML = chart.svg;
  const cursor = element('div', { class: 'cursor', hidden: '' });
  figure.append(cursor);
  figure.addEventListener('pointermove', (event) => readOff(chart, figure, cursor, event));
  figure.addEventListener('pointerleave', () => {
    cursor.hidden = true;
    part('tooltip', HTMLDivElement).hidden = true;
  });
  return figure;
}

/** Shows the values of all curves at the step nearest to the pointer. */
function readOff({ x, series }: Chart, figure: HTMLElement, cursor: HTMLElement, event: PointerEvent): void {
  const svg = figure.querySelector('svg');
  const tooltip = part('tooltip', HTMLDivElement);
  if (svg === null || x === undefined) return;
  const box = svg.getBoundingClientRect();
  const scale = svg.viewBox.baseVal.width / box.width;
  const place = (event.clientX - box.left) * scale;
  const [begin, end] = x.range;
  const [low, high] = x.domain;
  const under = low + ((place - begin) / (end - begin)) * (high - low);
  const steps = series.flatMap(({ points }) => nearest(points, under)?.[0] ?? []);
  const step = steps.toSorted((a, b) => Math.abs(a - under) - Math.abs(b - under))[0];
  if (step === undefined || place < begin - 10 || place > end + 10) {
    cursor.hidden = true;
    tooltip.hidden = true;
    return;
  }
  const at = (begin + ((step - low) / (high - low)) * (end - begin)) / scale;
  cursor.style.left = `${Number.isFinite(at) ? at : begin / scale}px`;
  cursor.style.height = `${box.height}px`;
  cursor.hidden = false;
  const values = series
    .flatMap(({ name, look, points }) => {
      const point = nearest(points, step);
      return point === undefined ? [] : [{ name, look, value: point[1] }];
    })
    .toSorted((a, b) => b.value - a.value)
    .slice(0, 16);
  tooltip.replaceChildren(
    element('b', {}, `step ${step.toLocaleString('en-US')}`),
    ...values.map(({ name, look, value }) =>
      element('div', {}, element('span', {}, element('span', { class: 'dot', style: `background:var(--series-${look % 8});margin:0 0.5em 0 0` }), name), element('span', {}, formatNumber(value))),
    ),
  );
  tooltip.hidden = false;
  const beside = event.clientX + 16 + tooltip.offsetWidth > innerWidth ? event.clientX - 16 - tooltip.offsetWidth : event.clientX + 16;
  tooltip.style.left = `${Math.max(4, beside)}px`;
  tooltip.style.top = `${Math.min(event.clientY + 12, innerHeight - tooltip.offsetHeight - 8)}px`;
}

/** The point nearest to a step; points are in order. */
function nearest<Point extends readonly [number, number]>(points: readonly Point[], step: number): Point | undefined {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) < step) low = middle + 1;
    else high = middle;
  }
  const [after, before] = [points[low], points[low - 1]];
  if (after === undefined || before === undefined) return after;
  return Math.abs(before[0] - step) <= Math.abs(after[0] - step) ? before : after;
}
