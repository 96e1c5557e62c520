// The backend as a component, so that experiments can name it.
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';
import { cpuBackend } from './backend.ts';

/** The plugin, with the component `backend: cpu`. */
export default definePlugin({
  name: '@athanor/backend-cpu',
  components: [
    component({
      kind: 'backend',
      name: 'cpu',
      summary: 'Generated JavaScript: runs anywhere, on one thread',
      schema: z.strictObject({}),
      create: () => cpuBackend(),
    }),
  ],
});
