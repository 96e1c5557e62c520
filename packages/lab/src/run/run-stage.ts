// One stage in steps: its log, its checkpoints, and its result, gone on with wherever it was stopped.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './canonical.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { makeFolder, remove, writeFileWhole } from './files.ts';
import type { JobHost } from './host.ts';
import { assertHeld } from './lock.ts';
import { MetricLog } from './metrics.ts';
import type { Observer } from './observer.ts';
import type { StageRecord } from './results.ts';
import { rungStep, writeStanding } from './rung.ts';
import type { Stage, StageResult } from './stage.ts';
import type { Run } from './study.ts';

export interface StagePlace {
  readonly host: JobHost;
  readonly run: Run;
  readonly folder: string;
  readonly name: string;
  readonly observer: Observer;
  /** Where halving lets it go: it stops there, with a checkpoint. */
  readonly rung: number | undefined;
}

/**
 * Runs a stage to its end or its rung, going on from its newest checkpoint. Whatever the process was doing
 * when it was killed, the log, the artifacts and the result come out bit for bit as without.
 */
export async function runStage(stage: Stage, { host, run, folder, name, observer, rung }: StagePlace, beforeResult: () => void): Promise<void> {
  const checkpoints = join(folder, 'checkpoints');
  const { checkpoint, spoilt } = readCheckpoint(checkpoints);
  for (const bad of spoilt) {
    observer.note(`checkpoint ${bad} cannot be read and is left out`);
    remove(join(checkpoints, bad));
  }
  if (checkpoint !== undefined) await stage.restore(checkpoint.state);
  // A log from before may be shared with a run that has taken it over.
  else remove(join(folder, 'metrics.arrow'));
  const first = checkpoint?.step ?? 0;
  const { halving } = run.config;
  const last = rung === undefined || halving === undefined ? stage.steps : rungStep(stage.steps, rung, halving);
  observer.stageStarted(run, name, { from: first, steps: stage.steps });
  const metrics = new MetricLog(join(folder, 'metrics.arrow'), checkpoint?.logOffset ?? 0);
  const timing = new MetricLog(nextTiming(folder), 0);
  const began = performance.now();
  try {
    for (let step = first; step < last; step++) {
      const report = await stage.step(step);
      const done = step + 1;
      metrics.add((report.metrics ?? []).map((row) => ({ step: done, ...row })));
      if (report.metrics !== undefined) timing.add([{ step: done, metric: 'seconds', value: (performance.now() - began) / 1000 }]);
      observer.stepDone(run, done, report);
      if (done % stage.checkpointEvery === 0 || done === last) {
        assertHeld(run.folder);
        const logOffset = metrics.flush();
        makeFolder(checkpoints);
        writeCheckpoint(checkpoints, { step: done, logOffset, state: await stage.state() });
      }
      await host.breathe();
    }
  } finally {
    metrics.close();
    timing.close();
  }
  if (rung !== undefined && last < stage.steps) return writeStanding(folder, { rung, step: last, steps: stage.steps });
  const result = await stage.finish();
  assertHeld(run.folder);
  beforeResult();
  writeResult(folder, stage.steps, result);
}

function writeResult(folder: string, steps: number, { summary, artifacts }: StageResult): void {
  const hashes: Record<string, string> = {};
  for (const [name, content] of artifacts) {
    writeFileWhole(join(folder, name), content);
    hashes[name] = sha256(content);
  }
  const record: StageRecord = { summary, steps, artifacts: hashes };
  writeFileWhole(join(folder, 'result.json'), `${JSON.stringify(record, null, 2)}\n`);
}

/** Each attempt keeps its times in a file of its own: they are not part of the run's identity. */
function nextTiming(folder: string): string {
  const attempts = readdirSync(folder).filter((name) => /^timing-\d+\.arrow$/.test(name)).length;
  return join(folder, `timing-${attempts + 1}.arrow`);
}
