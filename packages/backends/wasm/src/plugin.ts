// The backend as a component, so that experiments can name it.
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';
import { wasmBackend } from './backend.ts';

/** The plugin, with the component `backend: wasm`. */
export default definePlugin({
  name: '@athanor/backend-wasm',
  components: [
    component({
      kind: 'backend',
      name: 'wasm',
      summary: 'Generated WebAssembly SIMD, with threads on shared memory',
      schema: z.strictObject({
        threads: z.int().min(1).optional().describe('Threads, the calling one included; by default all cores'),
      }),
      create: ({ threads }, { threads: budget }) => {
        const taken = threads ?? budget;
        return wasmBackend(taken === undefined ? {} : { threads: taken });
      },
    }),
  ],
});
