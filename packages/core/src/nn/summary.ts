// A model as a table: layers, output shapes, parameters, multiply-accumulates.
import { formatShape } from '../errors.ts';
import type { Shape } from '../shape.ts';
import type { Module } from './module.ts';
import { trace, type InputSpec } from './trace.ts';

function table(rows: readonly (readonly string[])[], numeric: ReadonlySet<number>): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (numeric.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ').trimEnd();
  return rows.map(line).join('\n');
}

/** One line per leaf call, and a total. Parameters of a module that is called twice are shown twice but counted once. */
export function summary(model: Module, inputs: Shape | readonly InputSpec[]): string {
  const { calls, parameters, macs } = trace(model, inputs);
  const count = (value: number): string => value.toLocaleString('en-US');
  const leaves = calls.filter(({ leaf }) => leaf);
  const rows = leaves.map((call) => [
    call.path === '' ? '(model)' : call.path,
    call.kind,
    call.outputs.map(({ shape }) => formatShape(shape)).join(' '),
    count(call.parameters),
    count(call.macs),
  ]);
  const header = ['layer', 'kind', 'output', 'parameters', 'MACs'];
  return table([header, ...rows, ['total', '', '', count(parameters), count(macs)]], new Set([3, 4]));
}
