// Writing a study's report: one HTML file that needs nothing else.
import { join } from 'node:path';
import { summarize } from '../analysis/summary.ts';
import type { Variant } from '../analysis/summary.ts';
import { writeFileWhole } from '../run/files.ts';
import { readMetrics } from '../run/metrics.ts';
import { readEnvironments } from '../run/results.ts';
import { runStatus, stageFolder } from '../run/study.ts';
import type { Run, Study } from '../run/study.ts';
import type { Curve } from './charts.ts';
import { readEvaluation } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { reportPage } from './page.ts';

/** Writes `report.html` into the study's folder and returns its path. Unfinished runs are shown as far as they are. */
export function writeReport(study: Study): string {
  const variants = summarize(study);
  const page = reportPage({
    record: study.record,
    done: study.runs.filter((run) => runStatus(run) === 'done').length,
    variants,
    curves: variants.flatMap(({ runs }, variant) => runs.flatMap((run) => curvesOf(run, variant))),
    evaluations: new Map(variants.flatMap((variant, index) => withKey(index, evaluationOf(variant)))),
    environments: study.runs.flatMap(readEnvironments).toSorted((a, b) => (a.started < b.started ? -1 : 1)),
  });
  const path = join(study.folder, 'report.html');
  writeFileWhole(path, page);
  return path;
}

/** A run's metrics as curves. Of several stages, later steps are counted on. */
function curvesOf(run: Run, variant: number): Curve[] {
  const curves = new Map<string, { step: number; value: number }[]>();
  let before = 0;
  for (const [index] of run.config.stages.entries()) {
    const rows = readMetrics(join(stageFolder(run, index), 'metrics.arrow'));
    for (const { metric, step, value } of rows) {
      const points = curves.get(metric) ?? [];
      points.push({ step: before + step, value });
      curves.set(metric, points);
    }
    before += rows.at(-1)?.step ?? 0;
  }
  return [...curves].map(([metric, points]) => ({ variant, run: run.name, metric, points }));
}

/** The evaluation of a variant's runs: confusions added, pictures of the first. */
function evaluationOf({ runs }: Variant): Evaluation | undefined {
  const found = runs.flatMap((run) => run.config.stages.map((_, index) => readEvaluation(stageFolder(run, index)))).filter((one) => one !== undefined);
  const [first, ...rest] = found;
  if (first === undefined) return undefined;
  const confusion = first.confusion.map((row, truth) =>
    row.map((count, answer) => rest.reduce((sum, other) => sum + (other.confusion[truth]?.[answer] ?? 0), count)),
  );
  return { ...first, confusion };
}

function withKey<T>(key: number, value: T | undefined): [number, T][] {
  return value === undefined ? [] : [[key, value]];
}
