// The interface between a study and whoever runs its jobs: folders go over, events and outcomes come back.
import type { StepReport } from '../run/stage.ts';

/** What a job tells while it runs. */
export type JobEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'stage'; readonly name: string; readonly from: number; readonly steps: number }
  | { readonly kind: 'step'; readonly step: number; readonly report: StepReport }
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'ended'; readonly failed: boolean };

/** Why a job has no result. */
export interface JobFailure {
  /** What went wrong, in one line. */
  readonly message: string;
  /** Whether the user can mend it: a mistake, not a fault of the program. */
  readonly user: boolean;
  /** File with all that the job said, where there is one. */
  readonly log?: string;
  /** The error itself, where it happened in this process. */
  readonly cause?: unknown;
}

/** How a job ended. */
export interface JobOutcome {
  /** Its run folder. */
  readonly folder: string;
  /** Absent when the job has its result. */
  readonly failure?: JobFailure;
}

/** Takes what a job tells, with its run folder. */
export type Tell = (folder: string, event: JobEvent) => void;

/** Decides where jobs run. A job is nothing but its run folder: whoever gets it finds everything there. */
export interface Executor {
  /** As `--executor` names it. */
  readonly name: string;
  /** Runs all jobs to their ends. One that fails does not keep the others from running. */
  run(folders: readonly string[], tell: Tell): Promise<readonly JobOutcome[]>;
}
