// The backend as a component, so that experiments can name it.
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';
import { wasmBackend } from './backend.ts';
import { enableEngineFeatures } from './runtime/features.ts';

export default definePlugin({
  name: '@athanor/backend-wasm',
  components: [
    component({
      kind: 'backend',
      name: 'wasm',
      summary: 'Generated WebAssembly SIMD, with threads on shared memory',
      schema: z.strictObject({
        threads: z.int().min(1).optional().meta({ description: 'default: all cores, or 1 where memory cannot be shared' }),
      }),
      create: ({ threads }, { ownsProcess }) => {
        if (ownsProcess === true) enableEngineFeatures();
        return wasmBackend(threads === undefined ? {} : { threads });
      },
    }),
  ],
});
