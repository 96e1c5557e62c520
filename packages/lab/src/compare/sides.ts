// What is compared: the variants of one or several studies, named apart.
import { basename, resolve } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { summarize } from '../analysis/summary.ts';
import type { Variant } from '../analysis/summary.ts';
import { numbersOf } from '../claims/measure.ts';
import { findStudy } from '../run/study.ts';

/** A variant among those compared. */
export interface Side extends Variant {
  /** The study that it is of. */
  readonly study: string;
}

/** The variants of studies, or of single runs in them, by names or folders. */
export function findSides(names: readonly string[], runs: string): Side[] {
  const studies = names.map((name) => {
    const study = findStudy(name, runs);
    const run = study.runs.find(({ folder }) => folder === resolve(name));
    return { ...study, runs: run === undefined ? study.runs : [run] };
  });
  const recorded = new Set(studies.map(({ record }) => record.name));
  const folders = new Set(studies.map(({ folder }) => folder));
  const sides = studies.flatMap((study): Side[] => {
    const label = recorded.size === folders.size ? study.record.name : basename(study.folder);
    return summarize(study).map((variant) => {
      const own = Object.keys(variant.values).length === 0 ? '' : variant.name;
      const name = folders.size === 1 ? variant.name : [label, own].filter((part) => part !== '').join(' ');
      return { ...variant, name, study: study.folder };
    });
  });
  const distinct = [...new Map(sides.map((side) => [`${side.study} ${side.name}`, side])).values()];
  if (distinct.length < 2) throw new UserError('there is only one variant, which differs from nothing', { remedy: 'name several runs, or one with a sweep' });
  return distinct;
}

/** A metric's finite values by seed, of the runs that are done. */
export function valuesBySeed({ runs }: Side, metric: string): Map<number, number> {
  return new Map(
    runs.flatMap((run) => {
      const value = numbersOf(run)?.get(metric);
      return value === undefined || !Number.isFinite(value) ? [] : [[run.config.seed, value] as const];
    }),
  );
}

/** The metrics to compare: those asked for, else accuracies that several have, else all that several have. */
export function chooseMetrics(sides: readonly Side[], asked: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const metric of sides.flatMap(({ estimates }) => [...estimates.keys()])) counts.set(metric, (counts.get(metric) ?? 0) + 1);
  for (const metric of asked.filter((name) => !sides.some((side) => valuesBySeed(side, name).size > 0))) {
    throw new UserError(`no run has ${JSON.stringify(metric)}${didYouMean(metric, [...counts.keys()]) || ` (metrics: ${[...counts.keys()].join(', ') || 'none, as no run is done'})`}`);
  }
  if (asked.length > 0) return [...asked];
  const shared = [...counts].filter(([metric, count]) => count > 1 && metric !== 'parameters').map(([metric]) => metric);
  const accuracies = shared.filter((metric) => metric.endsWith('accuracy'));
  if (shared.length === 0) throw new UserError('the runs have no metric in common', { remedy: 'athanor ls shows which are done' });
  return accuracies.length > 0 ? accuracies : shared;
}

/** What each side is compared with. */
export interface Bases {
  /** Place of each side's base; its own for a base. */
  readonly places: readonly number[];
  readonly against: string;
}

/**
 * The bases: the side that is asked for, by its name or a part of it. Else, where the variants of
 * all runs are also in the first one, the same variant there; else the first side of all.
 */
export function chooseBases(sides: readonly Side[], asked: string | undefined): Bases {
  if (asked !== undefined) return oneBase(sides, findSide(sides, asked));
  const key = ({ values }: Side) => JSON.stringify(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const first = new Map(sides.flatMap((side, place) => (side.study === sides[0]?.study ? [[key(side), place] as const] : [])));
  const places = sides.map((side) => first.get(key(side)));
  const whole = places.filter((place) => place !== undefined);
  if (first.size < 2 || first.size === sides.length || whole.length < sides.length) return oneBase(sides, 0);
  return { places: whole, against: `the same variant of ${basename(sides[0]?.study ?? '')}` };
}

function oneBase(sides: readonly Side[], base: number): Bases {
  return { places: sides.map(() => base), against: sides[base]?.name ?? '' };
}

function findSide(sides: readonly Side[], asked: string): number {
  const names = sides.map(({ name }) => name);
  const exact = names.indexOf(asked);
  if (exact >= 0) return exact;
  const containing = names.filter((name) => name.includes(asked));
  if (containing.length === 1) return names.indexOf(containing[0] ?? '');
  const few = (listed: readonly string[]) => `${listed.slice(0, 4).join(', ')}${listed.length > 4 ? ', …' : ''}`;
  if (containing.length > 1) throw new UserError(`--against ${JSON.stringify(asked)} names several: ${few(containing)}`);
  throw new UserError(`--against ${JSON.stringify(asked)} is no variant${didYouMean(asked, names) || ` (variants: ${few(names)})`}`);
}
