// The table of runs.
import type { RunRow } from '../runs.ts';
import { element, formatNumber, part } from './dom.ts';
import { parseFilter, sortRows } from './filter.ts';
import { keyOf } from './state.ts';
import type { Choice } from './state.ts';

/** More rows than these make the page slow; the filter finds the others. */
const mostRows = 400;
const mostMetrics = 8;

export interface TableEvents {
  sort(column: string): void;
  choose(row: RunRow, shown: boolean): void;
}

/** Rows that pass the filter, in order. */
export function visibleRows(rows: readonly RunRow[], choice: Choice): RunRow[] {
  return sortRows(rows.filter(parseFilter(choice.filter)), choice.sort, choice.descending);
}

export function drawTable(rows: readonly RunRow[], choice: Choice, looks: ReadonlyMap<number, number>, chosen: ReadonlySet<number>, events: TableEvents): void {
  const visible = visibleRows(rows, choice);
  const metrics = metricColumns(visible);
  const columns = ['study', 'variant', 'seed', 'status', 'begun', ...metrics];
  const table = part('runs', HTMLTableElement);
  const focused = document.activeElement?.getAttribute('data-focus');
  table.tHead?.replaceChildren(header(columns, choice, events));
  const shown = visible.slice(0, mostRows);
  table.tBodies[0]?.replaceChildren(...shown.map((row) => line(row, metrics, looks.get(row.id), chosen.has(row.id), events)));
  if (focused != null) table.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  part('count', HTMLSpanElement).textContent = `${visible.length.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')} runs`;
  part('more', HTMLParagraphElement).textContent = visible.length > shown.length ? `${(visible.length - shown.length).toLocaleString('en-US')} more: filter to see them` : '';
}

/** Final numbers that the rows have, accuracies and losses first. */
function metricColumns(rows: readonly RunRow[]): string[] {
  const names = new Set(rows.flatMap(({ numbers }) => Object.keys(numbers)));
  const rank = (name: string) => (name.endsWith('accuracy') ? 0 : name.endsWith('loss') ? 1 : name.endsWith('samples') ? 9 : 2);
  return [...names].filter((name) => rank(name) < 9).toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, mostMetrics);
}

function header(columns: readonly string[], { sort, descending }: Choice, events: TableEvents): HTMLTableRowElement {
  const cells = columns.map((column) => {
    const button = element('button', { type: 'button', 'data-focus': `sort ${column}` }, column);
    button.addEventListener('click', () => events.sort(column));
    const sorted = sort === column ? { 'aria-sort': descending ? 'descending' : 'ascending' } : {};
    return element('th', { scope: 'col', ...(isNumeric(column) ? { class: 'number' } : {}), ...sorted }, button);
  });
  return element('tr', {}, element('th', { scope: 'col', 'aria-label': 'shown in the charts' }), ...cells);
}

function isNumeric(column: string): boolean {
  return !['study', 'variant', 'status', 'begun'].includes(column);
}

function line(row: RunRow, metrics: readonly string[], look: number | undefined, chosen: boolean, events: TableEvents): HTMLTableRowElement {
  const box = element('input', { type: 'checkbox', 'aria-label': `show ${keyOf(row)}`, 'data-focus': `show ${row.id}` });
  box.checked = chosen;
  box.addEventListener('change', () => events.choose(row, box.checked));
  const dot = chosen && look !== undefined ? [element('span', { class: 'dot', style: `background:var(--series-${look % 8})` })] : [];
  const study = encodeURIComponent(row.study);
  return element(
    'tr',
    { 'data-run': keyOf(row) },
    element('td', {}, box, ...dot),
    element('td', {}, element('a', { href: `/runs/${study}` }, row.study)),
    element('td', {}, element('a', { href: `/runs/${study}/${encodeURIComponent(row.name)}` }, row.variant === '' ? row.name : row.variant)),
    element('td', { class: 'number' }, String(row.seed)),
    element('td', { class: row.status }, row.status + (row.step > 0 ? ` at ${row.step.toLocaleString('en-US')}` : '')),
    element('td', {}, row.begun.slice(0, 16).replace('T', ' ')),
    ...metrics.map((metric) => element('td', { class: 'number' }, numberText(metric, row.numbers[metric]))),
  );
}

function numberText(metric: string, value: number | null | undefined): string {
  if (value === undefined) return '';
  if (value === null) return 'NaN';
  return metric.endsWith('accuracy') ? `${(100 * value).toFixed(1)} %` : formatNumber(value);
}
