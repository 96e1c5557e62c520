// A runs folder with one study of random walks, two scales by two seeds: for tests of what looks at runs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from '@athanor/core/plugin';
import type { Claim } from '../claims/schema.ts';
import type { Observer } from '../run/observer.ts';
import { runStudy } from '../run/runner.ts';
import { createStudy } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import toy from './toy.ts';

export const quiet: Observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} };

export interface WalkOptions {
  readonly name?: string;
  readonly question?: string;
  readonly claims?: readonly Claim[];
  readonly steps?: number;
  /** Names of the scales 1, 2, … */
  readonly scales?: readonly string[];
}

/** Makes a study under `folder/runs`; nothing of it has run. */
export function planWalks(folder: string, { name = 'walks', question, claims = [], steps = 40, scales = ['small', 'large'] }: WalkOptions = {}): Study {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, 'stages: [walk]\n');
  const jobs = scales.flatMap((scale, index) =>
    [0, 1].map((seed) => ({ name: `scale-${index + 1}.seed-${seed}`, values: { scale }, config: { seed, stages: [{ name: 'walk', steps, scale: index + 1 }] } })),
  );
  return createStudy({ name, file, words: [], question, plugins: [], jobs, claims, registry: new Registry([toy]) }, join(folder, 'runs'));
}

/** Makes a study and runs it. */
export async function runWalks(folder: string, options: WalkOptions = {}): Promise<Study> {
  const study = planWalks(folder, options);
  await runStudy(study, { registry: new Registry([toy]), packages: { toy: '1.2.3' }, observer: quiet });
  return study;
}
