// Who is told what happens while jobs run; the terminal's progress is one.
import type { StepReport } from './stage.ts';
import type { Run } from './study.ts';

/** Where a run stands among its study's. */
export interface RunPosition {
  readonly index: number;
  readonly of: number;
  /** How many are to begin after it. */
  readonly waiting: number;
}

/** Several runs may be told of in turn: every event names its run. */
export interface Observer {
  /** A run begins or goes on. */
  runStarted(run: Run, position: RunPosition): void;
  /** `from` steps are done already. */
  stageStarted(run: Run, name: string, position: { readonly from: number; readonly steps: number }): void;
  /** A step has been computed; `step` counts those that are done. */
  stepDone(run: Run, step: number, report: StepReport): void;
  /** A run has its result, or has failed. */
  runDone(run: Run, outcome: { readonly failed: boolean }): void;
  /** Something that a person should know, and that stops nothing. */
  note(message: string): void;
}
