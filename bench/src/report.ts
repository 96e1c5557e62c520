// The table that the benchmark prints, a line as soon as its row is measured.
import type { Limits } from '@athanor/lab';
import type { Row } from './row.ts';

const columns = [
  ['workload', 8],
  ['case', 22],
  ['backend', 9],
  ['threads', 7],
  ['ms', 10],
  ['value', 19],
  ['of limit', 8],
  ['error', 8],
  ['peers (ms, how many times faster we are)', 0],
] as const;

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(columns[i]?.[1] ?? 0)).join('  ').trimEnd();
}

const significant = (value: number): string => (value >= 1000 ? value.toFixed(0) : value.toPrecision(3));

/**
 * Part of what this machine's 128-bit vectors, or its memory, can do. Nothing for figures that are neither FLOP nor
 * bytes, for the native backend, whose vectors may be wider, and for memory with several threads.
 */
export function ofLimit({ unit, value, threads, backend }: Row, limits: Limits): number | undefined {
  if (backend === 'native') return undefined;
  if (unit === 'GFLOP/s') return value / (limits.gigaflops * threads);
  return unit === 'GB/s' && threads === 1 ? value / limits.gigabytes : undefined;
}

export function tableHead(limits: Limits): string {
  const { gigaflops, gigabytes } = limits;
  const machine = `This machine, one thread, 128-bit vectors: ${gigaflops.toFixed(0)} GFLOP/s; memory: ${gigabytes.toFixed(0)} GB/s read and written.`;
  return `${machine}\n\n${line(columns.map(([name]) => name))}`;
}

export function tableLine(row: Row, limits: Limits): string {
  const part = ofLimit(row, limits);
  return line([
    row.workload,
    row.case,
    row.backend,
    String(row.threads),
    significant(row.median_ms),
    `${significant(row.value)} ${row.unit}`,
    part === undefined ? '' : `${(part * 100).toFixed(0)} %`,
    row.error.toExponential(1),
    row.peers.map(({ name, median_ms: milliseconds, ratio }) => `${name} ${significant(milliseconds)} (${ratio.toFixed(2)}×)`).join(', '),
  ]);
}
