// The suite that every backend runs: all cases with fusion on and off, on memory full of NaN.
import type { Backend } from '@athanor/core/backend';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allCases } from './cases/index.ts';
import { titleOf, type Case } from './problem.ts';
import { check } from './run.ts';

/** How the suite wants a backend to be made; a backend ignores what it does not have. */
export interface BackendSettings {
  /** False gives each operation its own kernel. */
  readonly fuse: boolean;
  /** Scratch and fresh allocations are full of NaN. */
  readonly poison: boolean;
  readonly threads?: number;
  /** Threads wait for random times. */
  readonly delays?: boolean;
}

export type MakeBackend = (settings: BackendSettings) => Backend | Promise<Backend>;

/** Declares the tests: one for each operation, which runs all cases of it. */
export function conformance(name: string, makeBackend: MakeBackend): void {
  const cases = allCases();
  for (const fuse of [true, false]) {
    describe(`${name}: ${cases.length} cases, ${fuse ? 'fused' : 'each operation by itself'}`, () => {
      let backend: Backend;
      beforeAll(async () => {
        backend = await makeBackend({ fuse, poison: true });
      });
      afterAll(() => backend.dispose());
      for (const [group, members] of grouped(cases)) {
        it(`${group}: ${members.length} cases`, async () => {
          expect(await failures(backend, members)).toEqual([]);
        });
      }
    });
  }
}

function grouped(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const item of cases) {
    const key = item.direction === 'backward' ? `${item.op} backward` : item.op;
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

async function failures(backend: Backend, cases: readonly Case[]): Promise<string[]> {
  const found: string[] = [];
  for (const item of cases) {
    for (const text of await problemsOf(backend, item)) found.push(`${titleOf(item)}: ${text}`);
  }
  return found;
}

async function problemsOf(backend: Backend, item: Case): Promise<string[]> {
  try {
    return await check(backend, item.build(), item.tolerance);
  } catch (error) {
    return [error instanceof Error ? `${error.name}: ${error.message}` : String(error)];
  }
}
