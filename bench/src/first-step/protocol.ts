// What a process that takes one first step is asked, and what it answers, as JSON.

export interface FirstStepTask {
  readonly workload: string;
  readonly name: string;
  readonly backend: string;
  readonly threads: number;
  readonly engineFeatures: boolean;
}

/** Milliseconds. */
export interface FirstStep {
  /** From the call to the number that the step reads. */
  readonly total: number;
  /** … from the call to the canonical graph. */
  readonly trace: number;
  /** … from the graph to machine code: scheduling, generating, compiling, loading, or finding all that in a cache. */
  readonly compile: number;
  /** … the rest: memory, inputs, and the run. */
  readonly run: number;
  /** A later step. */
  readonly later: number;
  readonly nodes: number;
  readonly kernels: number;
  readonly commands: number;
  /** Scheduling the same graph at last, and once the JavaScript engine has compiled the scheduler. */
  readonly schedule: number;
  readonly scheduleAgain: number;
}
