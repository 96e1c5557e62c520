// Who takes part in a row: our engine or a peer, in this process or in another.
import type { Problem, Step } from './problem.ts';
import { Stopwatch } from './timing.ts';

/** What a contestant's first steps read, or why it does not take part. */
export type Readiness = { readonly values: readonly number[] } | { readonly cannot: string };

export interface Contestant {
  readonly name: string;
  /** Builds the problem's step and runs it `steps` times. */
  prepare(problem: Problem, steps: number): Promise<Readiness>;
  /** Warms up for at most `seconds`; milliseconds of a step. */
  warm(seconds: number): Promise<number>;
  /** Milliseconds of each sampled step. */
  sample(seconds: number): Promise<readonly number[]>;
  /** Ends it; it can be prepared again. */
  close(): Promise<void>;
}

/** Makes a problem's step; throws `Cannot` where there is no way to. */
export type MakeStep = (problem: Problem) => Step | Promise<Step>;

/** The reason why a contestant leaves a problem out. */
export class Cannot extends Error {
  override readonly name = 'Cannot';
}

/** A contestant in this process. */
export function localContestant(name: string, makeStep: MakeStep, release: () => void | Promise<void> = () => undefined): Contestant {
  let stopwatch: Stopwatch | undefined;
  const prepared = (): Stopwatch => {
    if (stopwatch === undefined) throw new Error(`${name} has no problem to run`);
    return stopwatch;
  };
  return {
    name,
    async prepare(problem, steps) {
      try {
        stopwatch = new Stopwatch(await makeStep(problem));
        return { values: await stopwatch.values(steps) };
      } catch (error) {
        if (error instanceof Cannot) return { cannot: error.message };
        throw error;
      }
    },
    warm: (seconds) => prepared().warm(seconds),
    sample: (seconds) => prepared().sample(seconds),
    async close() {
      stopwatch = undefined;
      await release();
    },
  };
}
