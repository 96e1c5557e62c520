// Who takes part in a row: our engine or a peer, in this process or in another.
import type { Problem, Step } from './problem.ts';
import { Stopwatch } from './timing.ts';

export interface Contestant {
  readonly name: string;
  /** Whether the problem concerns it at all; without it, every one does. */
  readonly concerns?: (problem: Problem) => boolean;
  /** Builds the problem's step and runs it `steps` times; what these steps read. */
  prepare(problem: Problem, steps: number): Promise<readonly number[]>;
  /** Warms up for at most `seconds`; milliseconds of a step. */
  warm(seconds: number): Promise<number>;
  /** Milliseconds of each sampled step. */
  sample(seconds: number): Promise<readonly number[]>;
  /** Ends it; it can be prepared again. */
  close(): Promise<void>;
}

export type MakeStep = (problem: Problem) => Step | Promise<Step>;

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
      stopwatch = new Stopwatch(await makeStep(problem));
      return await stopwatch.values(steps);
    },
    warm: (seconds) => prepared().warm(seconds),
    sample: (seconds) => prepared().sample(seconds),
    async close() {
      stopwatch = undefined;
      await release();
    },
  };
}
