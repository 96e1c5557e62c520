// Rows as a table for docs/PERFORMANCE.md: a line a case, with one thread and two, and how many times faster we are.
import type { Row } from './row.ts';
import { median } from './timing.ts';

const significant = (value: number): string => (value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3))));

const keyOf = ({ workload, case: name, backend, threads }: Row): string => [workload, name, backend, threads].join(' ');

/**
 * Rows of several runs as one: our time from the run that was disturbed least, which is the fastest; the ratio to a peer as
 * the median of those of the runs that both took part in, so that more runs favour nobody.
 */
export function merged(rows: readonly Row[]): Row[] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return [...groups.values()].map((group) => {
    const best = group.reduce((least, row) => (row.median_ms < least.median_ms ? row : least));
    const names = [...new Set(group.flatMap(({ peers }) => peers.map(({ name }) => name)))];
    const peers = names.map((name) => {
      const own = group.flatMap((row) => row.peers.filter((peer) => peer.name === name));
      return { name, median_ms: median(own.map((peer) => peer.median_ms)), ratio: median(own.map(({ ratio }) => ratio)) };
    });
    return { ...best, error: Math.max(...group.map(({ error }) => error)), peers };
  });
}

/** A Markdown table of one backend's rows, with one thread and with two. */
export function tableOf(rows: readonly Row[]): string {
  const number = ({ workload }: Row): number => Number(workload.slice(1));
  const all = merged(rows).toSorted((x, y) => number(x) - number(y));
  const peers = [...new Set(all.flatMap((row) => row.peers.map(({ name }) => name)))];
  const cases = [...new Set(all.map((row) => `${row.workload} \`${row.case}\``))];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = cases.map((name) => {
    const own = all.filter((row) => `${row.workload} \`${row.case}\`` === name);
    const [one, two] = [1, 2].map((threads) => own.find((row) => row.threads === threads));
    const value = (row: Row | undefined): string => (row === undefined ? '–' : `${significant(row.value)} ${row.unit}`);
    const scaling = one !== undefined && two !== undefined ? `${(one.median_ms / two.median_ms).toFixed(2)}×` : '–';
    const ratio = (peer: string): string =>
      [one, two].flatMap((row) => row?.peers.filter((entry) => entry.name === peer).map((entry) => `${entry.ratio.toFixed(2)}×`) ?? []).join(' / ') || '–';
    return line([name, value(one), value(two), scaling, Math.max(...own.map(({ error }) => error)).toExponential(1), ...peers.map(ratio)]);
  });
  const head = ['workload', 'one thread', 'two threads', 'gain', 'error', ...peers];
  return [line(head), line(head.map(() => '---')), ...lines].join('\n');
}
