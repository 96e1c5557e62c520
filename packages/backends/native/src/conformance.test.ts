// The suite that every backend must pass, on generated C. All its kernels are compiled first, many to a file.
import { allCases, conformance } from '@athanor/backend-conformance';
import { canonicalize } from '@athanor/core/backend';
import { nativeBackend } from './backend.ts';

const prepared = new Set<boolean>();

conformance('native', (settings) => {
  const backend = nativeBackend(settings);
  if (!prepared.has(settings.fuse)) {
    prepared.add(settings.fuse);
    const problems = allCases().map((item) => item.build());
    backend.prepare(problems.map(({ outputs, assignments = [] }) => canonicalize({ outputs, assignments })));
  }
  return backend;
});
