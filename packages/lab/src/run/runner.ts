// Running a study: which of its jobs are left, who runs them, and who is told.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Executor, JobEvent, JobFailure } from '../executors/executor.ts';
import { failuresAsError } from '../executors/failures.ts';
import { inlineExecutor } from '../executors/inline.ts';
import { sha256 } from './canonical.ts';
import { uncommittedChanges } from './environment.ts';
import { removeLeftovers, writeFileWhole } from './files.ts';
import { rounds } from './halving.ts';
import type { HostOptions } from './host.ts';
import { lockFolder } from './lock.ts';
import type { Observer, RunPosition } from './observer.ts';
import { runStatus, stageFolder } from './study.ts';
import type { Run, Study } from './study.ts';

export interface RunOptions extends HostOptions {
  readonly observer: Observer;
  /** Who runs the jobs; by default, this process does, one after the other. */
  readonly executor?: Executor;
}

/**
 * Runs what is left of a study. A failed job does not keep the others from running: at the end,
 * all failures are thrown as one error (that of the job itself, if it was the only one). A study
 * that another process holds is a UserError.
 */
export async function runStudy(study: Study, { observer, executor, ...host }: RunOptions): Promise<void> {
  const unlock = lockFolder(study.folder);
  try {
    removeLeftovers(study.folder);
    recordChanges(study);
    const places = new Map(study.runs.map((run, index) => [run.folder, { run, index }]));
    const runner = executor ?? inlineExecutor(host);
    const failed: { run: Run; failure: JobFailure }[] = [];
    for (const round of rounds(study, (message) => observer.note(message))) {
      const left = round.filter((run) => !isSettled(run) && !failed.some((one) => one.run === run));
      let waiting = left.length;
      const outcomes = await runner.run(left.map(({ folder }) => folder), (folder, event) => {
        const place = places.get(folder);
        if (place === undefined) return;
        if (event.kind === 'started') waiting--;
        hand(event, place.run, { index: place.index, of: study.runs.length, waiting }, observer);
      });
      for (const { folder, failure } of outcomes) {
        const run = places.get(folder)?.run;
        if (run !== undefined && failure !== undefined) failed.push({ run, failure });
      }
    }
    const error = failuresAsError(failed, study.runs.length);
    if (error !== undefined) throw error;
  } finally {
    unlock();
  }
}

/** Keeps what is not committed beside the runs, so that they can be made again: a patch for each state of the files. */
function recordChanges({ folder, record }: Study): void {
  const patch = uncommittedChanges(record.file);
  if (patch === undefined) return;
  const path = join(folder, `changes-${sha256(patch).slice(0, 8)}.patch`);
  if (!existsSync(path)) writeFileWhole(path, patch);
}

function hand(event: JobEvent, run: Run, position: RunPosition, observer: Observer): void {
  switch (event.kind) {
    case 'started':
      return observer.runStarted(run, position);
    case 'stage':
      return observer.stageStarted(run, event.name, event);
    case 'step':
      return observer.stepDone(run, event.step, event.report);
    case 'note':
      return observer.note(position.of === 1 || event.message.startsWith(run.name) ? event.message : `${run.name}: ${event.message}`);
    case 'ended':
      return observer.runDone(run, { failed: event.failed });
    default:
      return event satisfies never;
  }
}

/** Whether a run is done and nothing of its work lies about, as it may after a kill at the very end. */
function isSettled(run: Run): boolean {
  const rests = run.config.stages.map((_, index) => join(stageFolder(run, index), 'checkpoints'));
  return runStatus(run) === 'done' && ![join(run.folder, 'lock'), ...rests].some(existsSync);
}
