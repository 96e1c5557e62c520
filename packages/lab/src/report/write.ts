// Writing a study's report: one HTML file that needs nothing else.
import { join } from 'node:path';
import { summarize } from '../analysis/summary.ts';
import type { Variant } from '../analysis/summary.ts';
import { judgeClaims } from '../claims/evaluate.ts';
import { measureVariants } from '../claims/measure.ts';
import { writeFileWhole } from '../run/files.ts';
import { readEnvironments } from '../run/results.ts';
import { runStatus } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { curvesOf, stagesOf } from './curves.ts';
import { readEvaluation } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { figureVariants, readFigures } from './figures.ts';
import { reportPage } from './page.ts';
import type { ReportContent } from './page.ts';
import { readWeights } from './weights.ts';

/** Writes `report.html` into the study's folder and returns its path. Unfinished runs are shown as far as they are. */
export function writeReport(study: Study): string {
  const path = join(study.folder, 'report.html');
  writeFileWhole(path, reportPage(readContent(study)));
  return path;
}

/** Reads all that a study's report shows. */
export function readContent(study: Study): ReportContent {
  const variants = summarize(study);
  const firstStages = variants.flatMap(({ runs: [run] }, variant) => (run === undefined ? [] : stagesOf(run).map((stage) => ({ variant, ...stage }))));
  return {
    record: study.record,
    done: study.runs.filter((run) => runStatus(run) === 'done').length,
    variants,
    judgements: judgeClaims(study.record.claims ?? [], measureVariants(study)),
    curves: variants.flatMap(({ runs }, variant) => runs.flatMap((run) => curvesOf(run, variant))),
    evaluations: new Map(variants.flatMap((variant, index) => withKey(index, evaluationOf(variant)))),
    figures: firstStages.filter(({ variant }) => variant < figureVariants).map(({ variant, name, folder }) => ({ variant, stage: name, figures: readFigures(folder) })).filter(({ figures }) => figures.length > 0),
    weights: firstStages.map(({ variant, folder }) => readWeights(folder, variant)).filter((one) => one !== undefined),
    environments: study.runs.flatMap(readEnvironments).toSorted((a, b) => (a.started < b.started ? -1 : 1)),
  };
}

/** The evaluation of a variant's runs: confusions added, pictures of the first. */
function evaluationOf({ runs }: Variant): Evaluation | undefined {
  const found = runs.flatMap((run) => stagesOf(run).map(({ folder }) => readEvaluation(folder))).filter((one) => one !== undefined);
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
