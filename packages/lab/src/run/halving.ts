// Successive halving, from the side of a study: which runs go on at each rung.
import { join } from 'node:path';
import { UserError } from '@athanor/core';
import { formatNumber, formatValues } from '../terminal/format.ts';
import { readMetrics } from './metrics.ts';
import { readResult } from './results.ts';
import { allowRung, readStanding, rungStep } from './rung.ts';
import type { Halving } from './rung.ts';
import { stageFolder } from './study.ts';
import type { Run, Study } from './study.ts';

/**
 * The runs to work on, round after round: a round is asked for when the one before has ended.
 * Without halving there is one round of all. What goes on depends on the logs alone, so that a
 * study which was stopped goes on in the same way. A run without a number (it failed, or its
 * metric is NaN) comes last.
 */
export function* rounds({ runs }: Study, tell: (message: string) => void): Generator<readonly Run[]> {
  const halving = runs[0]?.config.halving;
  let alive: readonly Run[] = runs;
  for (let rung = 0; halving !== undefined && rung < halving.rungs; rung++) {
    const going = alive.filter((run) => reached(run) < rung);
    for (const run of going) allowRung(run.folder, rung);
    if (going.length > 0) yield going;
    const ranked = rank(alive, rung, halving);
    const best = ranked.slice(0, Math.ceil(ranked.length / halving.factor));
    const show = (variants: readonly Ranked[]) => variants.map(({ name, value }) => `${name} (${Number.isNaN(value) ? 'no number' : formatNumber(value)})`).join(', ');
    const rest = ranked.slice(best.length);
    const stops = rest.length === 0 ? '' : `; ${show(rest)} ${rest.length === 1 ? 'stops' : 'stop'}`;
    if (going.length > 0) tell(`${halving.metric} at rung ${rung + 1} of ${halving.rungs}: ${show(best)} ${best.length === 1 ? 'goes' : 'go'} on${stops}`);
    alive = best.flatMap((variant) => variant.runs);
  }
  for (const run of alive) allowRung(run.folder, undefined);
  yield alive;
}

interface Ranked {
  readonly name: string;
  readonly runs: readonly Run[];
  /** Mean over the seeds. */
  readonly value: number;
}

/** The variants, the best first; of equal ones, the first of the sweep. */
function rank(alive: readonly Run[], rung: number, halving: Halving): Ranked[] {
  const groups = new Map<string, Run[]>();
  for (const run of alive) {
    const name = formatValues(run.values);
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const sign = halving.mode === 'max' ? -1 : 1;
  const ranked = [...groups].map(([name, runs]) => {
    const values = runs.map((run) => valueAt(run, rung, halving));
    return { name, runs, value: values.reduce((sum, value) => sum + value, 0) / values.length };
  });
  const order = ({ value }: Ranked) => (Number.isNaN(value) ? Infinity : sign * value);
  return ranked.toSorted((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
}

/** The last value of the metric by the rung; NaN if there is none because the run has failed before. */
function valueAt(run: Run, rung: number, halving: Halving): number {
  const folder = lastStage(run);
  const steps = readResult(folder)?.steps ?? readStanding(folder)?.steps;
  if (steps === undefined || reached(run) < rung) return NaN;
  const until = rungStep(steps, rung, halving);
  const rows = readMetrics(join(folder, 'metrics.arrow')).filter(({ step }) => step <= until);
  const value = rows.findLast(({ metric }) => metric === halving.metric)?.value;
  if (value !== undefined) return value;
  const names = [...new Set(rows.map(({ metric }) => metric))];
  throw new UserError(`halving: ${run.name} has no ${halving.metric} by step ${until} of ${steps}, where rung ${rung + 1} is`, {
    remedy: `it has ${names.join(', ') || 'nothing'}: measure it more often (evaluateEvery), or take fewer rungs`,
  });
}

/** How many rungs a run has come to, from −1. */
function reached(run: Run): number {
  const folder = lastStage(run);
  return readResult(folder) !== undefined ? Infinity : (readStanding(folder)?.rung ?? -1);
}

const lastStage = (run: Run): string => stageFolder(run, run.config.stages.length - 1);
