// Between the observer that a job talks to and events that can be sent to another process.
import type { Observer } from '../run/observer.ts';
import type { JobEvent } from './executor.ts';

/**
 * An observer that hands on what happens as events. Of the steps, it tells one in `every`
 * milliseconds, and the last of each stage.
 */
export function observerOf(tell: (event: JobEvent) => void, { every = 100 }: { every?: number } = {}): Observer {
  let toldAt = -Infinity;
  let steps = 0;
  let samples = 0;
  return {
    runStarted: () => tell({ kind: 'started' }),
    stageStarted(_run, name, { from, steps: all }) {
      steps = all;
      samples = 0;
      toldAt = -Infinity;
      tell({ kind: 'stage', name, from, steps: all });
    },
    stepDone(_run, step, report) {
      const now = performance.now();
      samples += report.samples ?? 0;
      if (now - toldAt < every && step < steps) return;
      toldAt = now;
      // The rate is made from the sum, so that no sample is lost with the steps that are not told.
      tell({ kind: 'step', step, report: { ...(report.show === undefined ? {} : { show: report.show }), samples } });
      samples = 0;
    },
    runDone() {},
    note: (message) => tell({ kind: 'note', message }),
  };
}
