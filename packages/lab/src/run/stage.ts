// What a stage is: a job in steps whose whole state can be taken out and put back, bit for bit.
import type { ProgramCost, StepProfile } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import type { StoredArray } from '@athanor/data';
import type { MetricRow } from './metrics.ts';

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** All that a stage needs to go on: what does not fit into JSON stands under `tensors`. */
export interface StageState {
  readonly tensors: ReadonlyMap<string, StoredArray>;
  /** Finite numbers only. */
  readonly values: Json;
}

/** What one step tells. */
export interface StepReport {
  /** Rows for the log; their values must not depend on time. */
  readonly metrics?: readonly Omit<MetricRow, 'step'>[];
  /** How many samples the step took, for the rate. */
  readonly samples?: number;
  /** Shown beside the progress bar. */
  readonly show?: Readonly<Record<string, number>>;
}

/** What a stage leaves. */
export interface StageResult {
  /** Final numbers: `test.accuracy`. */
  readonly summary: Readonly<Record<string, number>>;
  /** Files for the run folder: trained weights, predictions. */
  readonly artifacts: ReadonlyMap<string, string | Uint8Array>;
}

/** What a step does, for those who ask before it is done for real: `plan` and `bench`. */
export interface StepInspection {
  /** Elements of all parameters. */
  readonly parameters: number;
  /** Samples that a step takes. */
  readonly samples: number;
  /** Multiply-accumulates of the model's answer to one sample. */
  readonly macs: number;
  /** The program of a step: nothing runs. */
  cost(): ProgramCost;
  /** Does a step, always with the same batch, and waits for its loss. */
  run(): Promise<void>;
  /** Does a step command by command. */
  profile(): Promise<StepProfile>;
}

/**
 * A stage in progress. The runner calls `step` with 0, 1, … `steps − 1`, takes `state` at
 * checkpoints, gives it to `restore` of a new stage of the same config after a kill, and at last
 * calls `finish`, which may happen again after a kill and must then give the same.
 */
export interface Stage {
  readonly steps: number;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** Computes the step of this number. */
  step(step: number): Promise<StepReport>;
  /** All that the steps to come depend on. */
  state(): Promise<StageState>;
  /** Continues from a saved state. */
  restore(state: StageState): Promise<void>;
  /** The outcome, after the last step. */
  finish(): Promise<StageResult>;
  /** Looks at a step. The stage is of no use for anything else afterwards. Absent where a step is no one program. */
  inspect?(): StepInspection;
  /** Frees what the stage holds. */
  dispose(): void;
}

/** What a stage that this one needs has left. */
export interface StageInput {
  readonly name: string;
  /** Folder with its artifacts. */
  readonly folder: string;
  readonly summary: Readonly<Record<string, number>>;
  /** Path of an artifact by its name. Throws a UserError that lists those that are there. */
  artifact(name: string): string;
}

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    stage: Promise<Stage>;
  }
  interface ComponentContexts {
    stage: {
      readonly seed: number;
      /** Absent when the experiment names none. */
      readonly backend: Backend | undefined;
      /** The stages that it needs, as it names them; in a list of stages, all before it. */
      readonly inputs: readonly StageInput[];
      readonly dataDir: string | undefined;
      readonly notify: (message: string) => void;
      /** Makes this same stage in so many processes that compute it together (`replicas()` tells each its rank). Absent where no processes are started. */
      readonly replicate?: (count: number) => Promise<Stage>;
    };
  }
}
