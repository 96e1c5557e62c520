// Jobs that failed, told once all others are done.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { UserError } from '@athanor/core';
import type { Run } from '../run/study.ts';
import { explainSystemError } from '../run/system-errors.ts';
import type { JobFailure } from './executor.ts';

export interface FailedRun {
  readonly run: Run;
  readonly failure: JobFailure;
}

/** Some runs of a study have failed; the others have their results. */
export class RunsFailed extends UserError {
  /** Which, and why. */
  readonly failed: readonly FailedRun[];

  constructor(failed: readonly FailedRun[], of: number) {
    super([`${failed.length} of ${of} runs failed:`, ...failed.flatMap(describe)].join('\n'));
    this.failed = failed;
  }

  /** 2 if every failure is a mistake that the user can mend, else 1. */
  get exitCode(): number {
    return this.failed.every(({ failure }) => failure.user) ? 2 : 1;
  }
}

/** What a failure does to the study: the error itself if it was the only job, else all of them in one. */
export function failuresAsError(failed: readonly FailedRun[], of: number): Error | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  if (of === 1 && first.failure.cause instanceof Error) return first.failure.cause;
  return new RunsFailed(failed, of);
}

function describe({ run, failure: { message, log, user } }: FailedRun): string[] {
  const lines = [`  ${run.name}: ${message}`];
  if (log === undefined) return lines;
  // A mistake's message says it all; of a fault, the last words may help: a whole stack, and a few lines before it.
  if (!user) lines.push(...lastLines(log, 16).map((line) => `    | ${line}`));
  return [...lines, `    log: ${relative(process.cwd(), log)}`];
}

/** Why a job failed, from what it threw. */
export function failureOf(thrown: unknown): JobFailure & { readonly cause: unknown } {
  const error = explainSystemError(thrown);
  return { message: error instanceof Error ? error.message : String(error), user: error instanceof UserError, cause: error };
}

/** The last lines of a file; none if it cannot be read. */
export function lastLines(path: string, count: number): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count);
  } catch {
    return [];
  }
}
