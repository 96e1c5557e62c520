// A plugin whose parts fail in every way that a plugin can, for tests of what a person is told.
import { UserError } from '@athanor/core';
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';
import type { Stage } from '../run/stage.ts';

const ways = ['create', 'mistake', 'step', 'step-text', 'state', 'finish', 'no-stage', 'no-steps', 'metric', 'artifact', 'values'] as const;

function stage(how: (typeof ways)[number]): Stage {
  const whole: Stage = {
    steps: how === 'no-steps' ? NaN : 3,
    checkpointEvery: 2,
    step(step) {
      if (how === 'step' && step === 1) throw new TypeError("Cannot read properties of undefined (reading 'length')");
      if (how === 'step-text' && step === 1) return Promise.reject('out of luck' as unknown as Error);
      if (how === 'metric') return Promise.resolve({ metrics: [{ metric: 'loss', value: 'low' as unknown as number }] });
      return Promise.resolve({});
    },
    state() {
      if (how === 'state') throw new Error('the state is nowhere');
      return Promise.resolve({ tensors: new Map(), values: how === 'values' ? { best: Infinity } : { done: 2 } });
    },
    restore: () => Promise.resolve(),
    finish() {
      if (how === 'finish') throw new Error('nothing came out');
      return Promise.resolve({ summary: {}, artifacts: new Map(how === 'artifact' ? [['../../outside.txt', 'x']] : []) });
    },
    dispose() {},
  };
  return how === 'no-stage' ? ({ run: () => 3 } as unknown as Stage) : whole;
}

export default definePlugin({
  name: 'faulty',
  components: [
    component({
      kind: 'stage',
      name: 'faulty',
      summary: 'fails as it is told',
      schema: z.strictObject({ how: z.enum(ways) }),
      create({ how }) {
        if (how === 'create') throw new Error('no such luck');
        if (how === 'mistake') throw new UserError('there is no luck', { remedy: 'try another day' });
        return Promise.resolve(stage(how));
      },
    }),
  ],
});
