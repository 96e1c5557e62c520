// What the page shows, and how: kept in the address, so that reloading and sharing keep it.
import type { RunRow } from '../runs.ts';

/** What the reader has chosen. */
export interface Choice {
  filter: string;
  /** `study/run` of the chosen runs; undefined: the newest study's. */
  runs: string[] | undefined;
  metrics: string[];
  /** Percent. */
  smooth: number;
  log: boolean;
  group: boolean;
  sort: string;
  descending: boolean;
}

/** What the server has told. */
export interface Known {
  readonly rows: Map<number, RunRow>;
  version: number;
  complete: boolean;
}

export function keyOf(row: RunRow): string {
  return `${row.study}/${row.name}`;
}

export function readChoice(hash: string): Choice {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const smooth = Number(words.get('smooth') ?? 0);
  return {
    filter: words.get('filter') ?? '',
    runs: words.has('runs') ? words.getAll('runs').filter((key) => key !== '') : undefined,
    metrics: words.getAll('metric'),
    smooth: Number.isFinite(smooth) ? Math.min(20, Math.max(0, smooth)) : 0,
    log: words.get('log') === '1',
    group: words.get('group') !== '0',
    sort: words.get('sort') ?? 'begun',
    descending: words.get('ascending') !== '1',
  };
}

export function writeChoice({ filter, runs, metrics, smooth, log, group, sort, descending }: Choice): string {
  const words = new URLSearchParams();
  if (filter !== '') words.set('filter', filter);
  if (runs !== undefined) for (const key of runs.length > 0 ? runs : ['']) words.append('runs', key);
  for (const metric of metrics) words.append('metric', metric);
  if (smooth > 0) words.set('smooth', String(smooth));
  if (log) words.set('log', '1');
  if (!group) words.set('group', '0');
  if (sort !== 'begun') words.set('sort', sort);
  if (!descending) words.set('ascending', '1');
  return words.toString();
}

/** The chosen runs, as far as they are known: by default those of the newest study that has begun. */
export function chosenRows(rows: readonly RunRow[], choice: Choice): RunRow[] {
  if (choice.runs !== undefined) {
    const chosen = new Set(choice.runs);
    return rows.filter((row) => chosen.has(keyOf(row)));
  }
  const begun = rows.filter(({ status }) => status !== 'waiting');
  const newest = begun.reduce<RunRow | undefined>((best, row) => (best === undefined || row.begun > best.begun ? row : best), undefined);
  return newest === undefined ? [] : begun.filter(({ study }) => study === newest.study).slice(0, 12);
}
