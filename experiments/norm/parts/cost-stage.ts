// The stage `step-cost`: what a step of another stage costs, by its program and by the clock.
import { UserError } from '@athanor/core';
import { component, componentRef } from '@athanor/core/plugin';
import type { Stage } from '@athanor/lab';
import { percentiles } from '@athanor/norm/analysis';
import * as z from 'zod';

/**
 * Counts are those of the program, equal in every run; `megabytes` move, `peakMegabytes` are needed at once. Milliseconds are measured, so they differ from run to run, and say
 * something only beside others of the same run on the same machine.
 */
export const costStage = component({
  kind: 'stage',
  name: 'step-cost',
  summary: 'Operations, memory and time of a step of a stage; the time is measured, all else counted',
  schema: z.strictObject({ of: componentRef('stage'), repeats: z.int().min(3).default(15) }),
  async create({ of, repeats }, context) {
    const { make, ...place } = context;
    const inner = await make('stage', of, place);
    const inspected = inner.inspect?.();
    if (inspected === undefined) throw new UserError('the step of this stage is no one program', { remedy: 'name a stage such as train' });
    let summary: Record<string, number> = {};
    const stage: Stage = {
      steps: 1,
      checkpointEvery: 1,
      async step() {
        const { flops, bytesRead, bytesWritten, peakBytes, commands } = inspected.cost();
        for (let warm = 0; warm < 3; warm++) await inspected.run();
        const times: number[] = [];
        for (let i = 0; i < repeats; i++) {
          const began = performance.now();
          await inspected.run();
          times.push(performance.now() - began);
        }
        const [fast = NaN, typical = NaN] = percentiles(times, [0.1, 0.5]);
        summary = {
          'step.megaflops': flops / 1e6,
          'step.megabytes': (bytesRead + bytesWritten) / 1e6,
          'step.peakMegabytes': peakBytes / 1e6,
          'step.commands': commands.length,
          'step.milliseconds': typical,
          'step.fastest': fast,
        };
        return { show: { milliseconds: typical } };
      },
      state: () => Promise.resolve({ tensors: new Map(), values: summary }),
      restore({ values }) {
        summary = values as Record<string, number>;
        return Promise.resolve();
      },
      finish: () => Promise.resolve({ summary, artifacts: new Map() }),
      dispose: () => inner.dispose(),
    };
    return stage;
  },
});
