// A study's result as a table for the terminal.
import type { Estimate, Variant } from '../analysis/summary.ts';
import { formatDuration, formatNumber, formatTable } from './format.ts';

/** One line a variant; shares of samples in percent, with their 95 % interval. */
export function summaryTable(variants: readonly Variant[]): string {
  const metrics = [...new Set(variants.flatMap(({ estimates }) => [...estimates.keys()]))];
  const header = ['variant', 'runs', ...metrics, 'time'];
  const rows = variants.map(({ name, estimates, runs, seconds }) => {
    const numbers = metrics.map((metric) => formatEstimate(metric, estimates.get(metric)));
    return [name, String(runs.length), ...numbers, formatDuration(seconds)];
  });
  return formatTable(header, rows);
}

/** `89.5 % (88.9 – 90.1)`, or a plain number. */
export function formatEstimate(metric: string, estimate: Estimate | undefined): string {
  if (estimate === undefined || estimate.values.length === 0) return '–';
  const { mean, interval } = estimate;
  const share = metric.endsWith('accuracy');
  const show = (value: number) => (share ? (100 * value).toFixed(1) : formatNumber(value));
  const center = share ? `${show(mean)} %` : show(mean);
  return interval === undefined ? center : `${center} (${show(interval.low)} – ${show(interval.high)})`;
}
