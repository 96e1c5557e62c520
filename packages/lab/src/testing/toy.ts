// A plugin with a stage that needs no engine: a random walk whose whole past is in its state. For tests of the runner.
import { component, definePlugin } from '@athanor/core/plugin';
import type { StoredArray } from '@athanor/data';
import * as z from 'zod';
import type { Stage } from '../run/stage.ts';

const schema = z.strictObject({
  steps: z.int().min(1).default(10),
  checkpointEvery: z.int().min(1).default(3),
  wait: z.number().min(0).default(0).meta({ description: 'milliseconds a step' }),
  scale: z.number().default(1),
  failAt: z.int().optional().meta({ description: 'the step that throws' }),
});

export default definePlugin({
  name: 'toy',
  components: [
    component({
      kind: 'stage',
      name: 'walk',
      summary: 'a random walk',
      schema,
      create: (config, { seed, inputs }) => Promise.resolve(walk(config, seed + inputs.length)),
    }),
  ],
});

function walk({ steps, checkpointEvery, wait, scale, failAt }: z.output<typeof schema>, seed: number): Stage {
  let place = new Float64Array(64);
  let random = seed + 1;
  const stored = (): StoredArray => ({ dtype: 'float64', shape: [8, 8], data: place.slice() });
  return {
    steps,
    checkpointEvery,
    async step(step) {
      if (step === failAt) throw new Error(`step ${step} was told to fail`);
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      for (let index = 0; index < place.length; index++) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        place[index] = (place[index] ?? 0) * 0.9 + scale * (random / 2 ** 32 - 0.5);
      }
      const distance = Math.hypot(...place);
      const metrics = step % 2 === 0 ? { metrics: [{ metric: 'train.loss', value: distance }, { metric: 'test.place', value: place[0] ?? 0 }] } : {};
      return { ...metrics, samples: 64, show: { distance } };
    },
    state: () => Promise.resolve({ tensors: new Map([['place', stored()]]), values: { random } }),
    restore({ tensors, values }) {
      const saved = tensors.get('place');
      if (saved?.dtype !== 'float64' || typeof values !== 'object' || values === null || !('random' in values)) {
        throw new Error('the state is not that of a walk');
      }
      place = saved.data.slice();
      random = Number(values['random']);
      return Promise.resolve();
    },
    finish: () =>
      Promise.resolve({
        summary: { 'test.accuracy': (random % 1000) / 1000, 'test.samples': 1000 },
        artifacts: new Map<string, string | Uint8Array>([['place.bin', new Uint8Array(place.slice().buffer)], ['note.txt', `${random}\n`]]),
      }),
    dispose() {
      place = new Float64Array();
    },
  };
}
