// Programs on disk: found by later stores, never by another graph's.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { build, buildContext, canonicalize, dtypes, schedule, type CanonicalGraph, type Dtype, type Node } from '@athanor/core/backend';
import { ProgramCache } from './programs.ts';
import { KernelStore } from './store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const limits = { buffersPerKernel: 64, storesPerKernel: 16, elements: 2 ** 31 - 1, dtypes: Object.keys(dtypes) as Dtype[] };

/** A cache as a new process has it, and how many graphs it has scheduled. */
function freshCache(variant = ''): { cache: ProgramCache; scheduled: () => number } {
  let count = 0;
  const store = new KernelStore({ folder });
  const cache = new ProgramCache({
    store,
    variant,
    schedule: (graph) => {
      count += 1;
      return schedule(graph, limits);
    },
  });
  return { cache, scheduled: () => count };
}

function chain(length: number, size = 40): CanonicalGraph {
  let x: Node = build.data(undefined, [size], 'float32');
  for (let i = 0; i < length; i++) x = build.apply(i % 2 === 0 ? 'exp' : 'sin', x);
  return canonicalize({ outputs: [x], assignments: [] });
}

const files = (kind: string): string[] => readdirSync(folder).filter((name) => name.endsWith(kind));

describe('ProgramCache', () => {
  it('schedules a graph once for all processes', () => {
    const first = freshCache();
    const { program, kernels } = first.cache.of(chain(150));
    expect(first.scheduled()).toBe(1);
    const second = freshCache();
    const found = second.cache.of(chain(150));
    expect(second.scheduled()).toBe(0);
    expect(found.program).toEqual(program);
    const plain = (list: typeof kernels) => list.map(({ key, phases }) => ({ key, phases: phases.map((phase) => ({ ...phase, function: 0 })) }));
    expect(plain(found.kernels)).toEqual(plain(kernels));
    expect(found.kernels.every(({ phases }) => phases.every((phase) => phase.function !== 0))).toBe(true);
  });

  it('tells graphs, variants and modules apart', () => {
    freshCache().cache.of(chain(150));
    const { cache, scheduled } = freshCache();
    cache.of(chain(151));
    cache.of(chain(150, 41));
    buildContext.module = 'elsewhere';
    const named = chain(150);
    buildContext.module = '';
    expect(cache.of(named).program.kernels[0]?.name).toMatch(/^elsewhere:/);
    expect(scheduled()).toBe(3);
    const other = freshCache('other');
    other.cache.of(chain(150));
    expect(other.scheduled()).toBe(1);
  });

  it('keeps numbers that are not finite', () => {
    const steps = (): CanonicalGraph => {
      let x: Node = build.data(undefined, [40], 'float32');
      for (let i = 0; i < 60; i++) x = build.where(build.apply('lt', x, build.apply('neg', x)), x, build.apply('exp', x));
      const zero = build.constant(0, 'float32');
      const odd = [Infinity, -Infinity, NaN, -0].map((value) => build.where(build.apply('lt', zero, build.data(undefined, [], 'float32')), build.constant(value, 'float32'), zero));
      return canonicalize({ outputs: [x, ...odd], assignments: [] });
    };
    const { program } = freshCache().cache.of(steps());
    const { cache, scheduled } = freshCache();
    expect(cache.of(steps()).program).toEqual(program);
    expect(scheduled()).toBe(0);
  });

  it('schedules again when a compiled kernel has gone', () => {
    const { program } = freshCache().cache.of(chain(150));
    for (const name of files('.so')) rmSync(join(folder, name));
    const { cache, scheduled } = freshCache();
    const again = cache.of(chain(150));
    expect(scheduled()).toBe(1);
    expect(again.program).toEqual(program);
    expect(again.kernels.every(({ phases }) => phases.every((phase) => phase.function !== 0))).toBe(true);
  });

  it('leaves small graphs alone', () => {
    freshCache().cache.of(chain(20));
    expect(files('.program')).toEqual([]);
  });
});
