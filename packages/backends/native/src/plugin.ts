// The backend as a component, so that experiments can name it.
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';
import { nativeBackend } from './backend.ts';

/** The plugin, with the component `backend: native`. */
export default definePlugin({
  name: '@athanor/backend-native',
  components: [
    component({
      kind: 'backend',
      name: 'native',
      summary: "Generated C, compiled by the system's compiler: the fastest",
      schema: z.strictObject({
        threads: z.int().positive().max(256).optional().describe('Threads that share the work; the results do not depend on it'),
      }),
      create: ({ threads }, { threads: budget }) => {
        const taken = threads ?? budget;
        return nativeBackend(taken === undefined ? {} : { threads: taken });
      },
    }),
  ],
});
