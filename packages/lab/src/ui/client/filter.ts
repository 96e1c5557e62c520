// Which rows the filter lets through, and in which order they stand.
import type { RunRow } from '../runs.ts';

/** A column's cell of a row: what is sorted by. */
export function cellOf(row: RunRow, column: string): string | number {
  switch (column) {
    case 'study':
    case 'name':
    case 'variant':
    case 'status':
    case 'begun':
    case 'seed':
    case 'step':
      return row[column];
    default:
      return row.numbers[column] ?? NaN;
  }
}

/**
 * A test of rows. Words are separated by spaces and all must be met: a text must stand in the row,
 * `-text` must not; `name>0.8`, `name<=3` compare a number.
 */
export function parseFilter(filter: string): (row: RunRow) => boolean {
  const tests = filter.trim().toLowerCase().split(/\s+/).filter((word) => word !== '').map(parseWord);
  return (row) => {
    const text = `${row.study}/${row.name} ${row.variant} seed=${row.seed} ${row.status}`.toLowerCase();
    return tests.every((test) => test(row, text));
  };
}

function parseWord(word: string): (row: RunRow, text: string) => boolean {
  const [, column, sign, number] = /^([\w./-]+)(>=|<=|>|<)(-?[\d.]+(?:e-?\d+)?)$/.exec(word) ?? [];
  if (column !== undefined && number !== undefined) {
    const bound = Number(number);
    return (row) => {
      const name = Object.keys(row.numbers).find((metric) => metric.toLowerCase() === column) ?? column;
      const value = Number(cellOf(row, name));
      if (sign === '>') return value > bound;
      if (sign === '<') return value < bound;
      return sign === '>=' ? value >= bound : value <= bound;
    };
  }
  if (word.startsWith('-') && word.length > 1) return (_, text) => !text.includes(word.slice(1));
  return (_, text) => text.includes(word);
}

/** Sorted by a column; what is missing comes last, equal cells keep the newest study and its order first. */
export function sortRows(rows: readonly RunRow[], column: string, descending: boolean): RunRow[] {
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare(cellOf(a, column), cellOf(b, column), sign) || (a.begun === b.begun ? a.id - b.id : a.begun < b.begun ? 1 : -1));
}

function compare(a: string | number, b: string | number, sign: number): number {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return sign * (Number(Number.isNaN(a)) - Number(Number.isNaN(b)));
    return a - b;
  }
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
