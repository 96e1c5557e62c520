// A study's numbers as tables: every logged value, and every final number, each with its run.
import { join } from 'node:path';
import { readMetrics } from '../run/metrics.ts';
import { readResult } from '../run/results.ts';
import type { Run } from '../run/study.ts';
import { stagesOf } from '../report/curves.ts';

/** A column of equal cells: texts, whole numbers or numbers. */
export type Column =
  | { readonly name: string; readonly type: 'text'; readonly cells: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'integer' | 'number'; readonly cells: readonly (number | null)[] };

export interface ExportTable {
  readonly columns: readonly Column[];
  readonly length: number;
}

/** Columns that every table begins and ends with; a sweep's variable of such a name is written as `values.name`. */
const reserved = new Set(['run', 'seed', 'stage', 'step', 'metric', 'value']);

/** All logged metrics: `run`, the sweep's variables, `seed`, `stage`, `step`, `metric`, `value`. */
export function metricsTable(runs: readonly Run[]): ExportTable {
  const rows = runs.flatMap((run) =>
    stagesOf(run).flatMap((stage) => readMetrics(join(stage.folder, 'metrics.arrow')).map((row) => ({ run, stage: stage.name, ...row }))),
  );
  return {
    length: rows.length,
    columns: [
      ...runColumns(runs, rows),
      { name: 'step', type: 'integer', cells: rows.map(({ step }) => step) },
      { name: 'metric', type: 'text', cells: rows.map(({ metric }) => metric) },
      { name: 'value', type: 'number', cells: rows.map(({ value }) => value) },
    ],
  };
}

/** The final numbers of all finished stages: the same columns without `step`. */
export function resultsTable(runs: readonly Run[]): ExportTable {
  const rows = runs.flatMap((run) =>
    stagesOf(run).flatMap((stage) =>
      Object.entries((readResult(stage.folder)?.summary ?? {}) as Record<string, number | null>).map(([metric, value]) => ({ run, stage: stage.name, metric, value: value ?? NaN })),
    ),
  );
  return {
    length: rows.length,
    columns: [
      ...runColumns(runs, rows),
      { name: 'metric', type: 'text', cells: rows.map(({ metric }) => metric) },
      { name: 'value', type: 'number', cells: rows.map(({ value }) => value) },
    ],
  };
}

function runColumns(runs: readonly Run[], rows: readonly { readonly run: Run; readonly stage: string }[]): Column[] {
  const variables = [...new Set(runs.flatMap(({ values }) => Object.keys(values)))];
  return [
    { name: 'run', type: 'text', cells: rows.map(({ run }) => run.name) },
    ...variables.map((variable) => variableColumn(variable, rows.map(({ run }) => run.values[variable]))),
    { name: 'seed', type: 'integer', cells: rows.map(({ run }) => run.config.seed) },
    { name: 'stage', type: 'text', cells: rows.map(({ stage }) => stage) },
  ];
}

/** Numbers as numbers; anything else as text, what is no text as JSON. */
function variableColumn(variable: string, values: readonly unknown[]): Column {
  const name = reserved.has(variable) ? `values.${variable}` : variable;
  const isNumber = (value: unknown): value is number => typeof value === 'number';
  const known = values.filter((value) => value !== undefined && value !== null);
  if (known.every(isNumber)) return { name, type: 'number', cells: values.map((value) => (isNumber(value) ? value : null)) };
  return { name, type: 'text', cells: values.map((value) => (value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value))) };
}
