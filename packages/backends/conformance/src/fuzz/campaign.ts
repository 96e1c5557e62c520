// Many random graphs, one after the other, until the time is over or one fails.
import type { Backend } from '@athanor/core/backend';
import type { Problem } from '../problem.ts';
import { randomProblem } from './generate.ts';
import { judge } from './judge.ts';
import { print } from './print.ts';
import { shrink } from './shrink.ts';

export interface CampaignOptions {
  /** Seed of the first graph; the others follow. */
  readonly seed: number;
  readonly seconds?: number;
  readonly graphs?: number;
}

export interface CampaignResult {
  readonly graphs: number;
  /** Graphs whose numbers were too large to be judged. */
  readonly skipped: number;
  readonly failure?: { readonly seed: number; readonly text: string; /** The smallest graph that fails. */ readonly graph: string };
}

/** Runs graphs on a backend and stops at the first that it gets wrong. */
export async function campaign(
  backend: Backend,
  { seed, seconds = Infinity, graphs: most = Infinity }: CampaignOptions,
): Promise<CampaignResult> {
  const end = performance.now() + seconds * 1000;
  let [graphs, skipped] = [0, 0];
  while (graphs < most && performance.now() < end) {
    const current = seed + graphs++;
    const { style, problem } = randomProblem(current);
    const verdict = await judge(backend, problem, style);
    if (verdict.kind === 'skipped') skipped++;
    if (verdict.kind !== 'wrong') continue;
    const smallest = await shrink(problem, async (smaller: Problem) => (await judge(backend, smaller, style)).kind === 'wrong');
    const last = await judge(backend, smallest, style);
    return { graphs, skipped, failure: { seed: current, text: last.kind === 'wrong' ? last.text : verdict.text, graph: print(smallest) } };
  }
  return { graphs, skipped };
}
