// The suite that every backend must pass, on generated C. All its kernels are compiled first, many to a file.
import { allCases, conformance } from '@athanor/backend-conformance';
import { canonicalize } from '@athanor/core/backend';
import { beforeAll } from 'vitest';
import { nativeBackend } from './backend.ts';

/** Compiling thousands of kernels takes a minute or two, once: libraries stay in the cache. */
const patience = 900_000;

beforeAll(() => {
  const graphs = allCases().map((item) => {
    const { outputs, assignments = [] } = item.build();
    return canonicalize({ outputs, assignments });
  });
  for (const fuse of [true, false]) {
    const backend = nativeBackend({ fuse });
    backend.prepare(graphs);
    backend.dispose();
  }
}, patience);

conformance('native', (settings) => nativeBackend(settings));
