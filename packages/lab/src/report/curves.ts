// What reports and pages read of a run: its stages with their folders, and its curves.
import { join } from 'node:path';
import type { CurvePoint } from '../analysis/curves.ts';
import { readMetrics } from '../run/metrics.ts';
import { stageFolder } from '../run/study.ts';
import type { Run } from '../run/study.ts';

/** A stage of a run on the disk. */
export interface StageFolder {
  readonly name: string;
  readonly folder: string;
}

/** The stages of a run, in order. */
export function stagesOf(run: Run): StageFolder[] {
  const { stages, graph } = run.config;
  return stages.map((ref, index) => ({ name: graph?.[index]?.id ?? (typeof ref === 'string' ? ref : ref.name), folder: stageFolder(run, index) }));
}

/** One run's values of one metric. */
export interface Curve {
  /** Index of the variant. */
  readonly variant: number;
  readonly stage: string;
  readonly metric: string;
  readonly points: readonly CurvePoint[];
}

/** A run's metrics as curves, by stage. */
export function curvesOf(run: Run, variant: number): Curve[] {
  return stagesOf(run).flatMap(({ name, folder }) => {
    const curves = new Map<string, CurvePoint[]>();
    for (const { step, metric, value } of readMetrics(join(folder, 'metrics.arrow'))) {
      const points = curves.get(metric) ?? [];
      points.push({ step, value });
      curves.set(metric, points);
    }
    return [...curves].map(([metric, points]) => ({ variant, stage: name, metric, points }));
  });
}
