// What a process that takes one first step is asked, and what it answers, as JSON.

export interface FirstStepTask {
  readonly workload: string;
  readonly name: string;
  readonly backend: string;
  readonly threads: number;
  readonly engineFeatures: boolean;
}

/** Milliseconds, from the call to the number that the step reads. */
export interface FirstStep {
  readonly total: number;
  /** From the call to the canonical graph. */
  readonly trace: number;
  /** From the graph to kernels and commands. */
  readonly schedule: number;
  /** From kernels to machine code: generating, compiling, loading. */
  readonly code: number;
  /** The rest: memory, inputs, and the run. */
  readonly run: number;
  /** A later step. */
  readonly steady: number;
  readonly nodes: number;
  readonly kernels: number;
  readonly commands: number;
  /** Milliseconds of scheduling the same graph once the JavaScript engine has compiled the scheduler. */
  readonly warmSchedule: number;
}
