// A comparison as tables for the terminal.
import type { Difference } from '../analysis/difference.ts';
import { formatNumber, formatTable } from '../terminal/format.ts';
import type { MetricComparison } from './compare.ts';

/** One line a variant: its mean, its difference from the base with the interval, and whether that is real. */
export function comparisonTable({ metric, against, rows }: MetricComparison): string {
  const share = metric.endsWith('accuracy');
  const show = (value: number) => (share ? (100 * value).toFixed(2) : formatNumber(value));
  const signed = (value: number) => `${value > 0 ? '+' : ''}${show(value)}`;
  const title = `${metric}${share ? ', in percent' : ''}: differences from ${against}`;
  const table = formatTable(
    ['', 'variant', 'seeds', 'mean', 'difference (95 %)', 'p', ''],
    rows.map(({ name, values, mean, contrast }) => {
      const start = [contrast?.real === true ? '*' : '', name, String(values.size), values.size === 0 ? '–' : show(mean)];
      if (contrast === undefined) return [...start, 'base', '', ''];
      const { estimate, p } = contrast;
      const { interval, reason } = estimate;
      const difference = Number.isFinite(estimate.mean) ? signed(estimate.mean) : '–';
      return [...start, interval === undefined ? difference : `${difference} (${signed(interval.low)} … ${signed(interval.high)})`, p === undefined ? '' : shownP(p), reason ?? (estimate.method === 'paired t' ? '' : 'not paired')];
    }),
  );
  return `${title}\n\n${table}`;
}

/** `0.003`, `< 0.001`. */
export function shownP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** Places in which configs differ, one line each; a column a variant. */
export function differenceTable(names: readonly string[], changed: readonly Difference[]): string {
  return formatTable(['config', ...names], changed.map(({ path, values }) => [path, ...values.map(shownValue)]));
}

/** A value of a config in a cell. */
export function shownValue(value: unknown): string {
  if (value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
