// The suite that every backend must pass, on generated C. All its kernels are compiled first, many to a file; that takes
// minutes for 14,000 of them, so that ATHANOR_WHOLE=1 runs every case, and other runs a part that names every operation.
import { allCases, conformance, type Case } from '@athanor/backend-conformance';
import { canonicalize } from '@athanor/core/backend';
import { beforeAll } from 'vitest';
import { nativeBackend } from './backend.ts';

const patience = 1_800_000;
/** Of so many cases of an operation, one runs. */
const share = process.env['ATHANOR_WHOLE'] === '1' ? 1 : 6;

function part(cases: readonly Case[]): Case[] {
  const counts = new Map<string, number>();
  return cases.filter(({ op, direction }) => {
    const key = `${op} ${direction}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count % share === 0;
  });
}

const cases = part(allCases());

beforeAll(() => {
  const graphs = cases.map((item) => {
    const { outputs, assignments = [] } = item.build();
    return canonicalize({ outputs, assignments });
  });
  for (const fuse of [true, false]) {
    const backend = nativeBackend({ fuse });
    backend.prepare(graphs);
    backend.dispose();
  }
}, patience);

conformance('native', (settings) => nativeBackend(settings), { cases });
