// The suite that every backend runs: all cases with fusion on and off, on memory full of NaN.
import type { Backend } from '@athanor/core/backend';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { behaviour } from './behaviour.ts';
import { allCases } from './cases/index.ts';
import { campaign } from './fuzz/campaign.ts';
import { titleOf, type Case } from './problem.ts';
import { check, resultsOf } from './run.ts';

/** Milliseconds for one test, which may be many cases on a busy machine. */
const timeout = 60_000;

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

export interface ConformanceOptions {
  /** Which ways to schedule are tested. Default fused and each operation by itself. */
  readonly fusion?: readonly boolean[];
}

/** Declares the tests: one for each operation, which runs all cases of it, and some of the backend as a whole. */
export function conformance(name: string, makeBackend: MakeBackend, options: ConformanceOptions = {}): void {
  const cases = allCases();
  describe(`${name}: the backend as a whole`, () => {
    behaviour(makeBackend);
  });
  for (const fuse of options.fusion ?? [true, false]) {
    describe(`${name}: ${cases.length} cases, ${fuse ? 'fused' : 'each operation by itself'}`, () => {
      let backend: Backend;
      beforeAll(async () => {
        backend = await makeBackend({ fuse, poison: true });
      });
      afterAll(() => backend.dispose());
      for (const [group, members] of grouped(cases)) {
        it(`${group}: ${members.length} cases`, { timeout }, async () => {
          expect(await failures(backend, members)).toEqual([]);
        });
      }
    });
  }
}

/**
 * Declares tests that several ways to run give the same bits: numbers of threads, say. Every case runs on every
 * backend; the first one is what the others must equal.
 */
export function agreement(name: string, backends: Readonly<Record<string, () => Backend | Promise<Backend>>>): void {
  describe(`${name}: the same bits`, () => {
    const made = new Map<string, Backend>();
    beforeAll(async () => {
      for (const [key, make] of Object.entries(backends)) made.set(key, await make());
    });
    afterAll(async () => {
      for (const backend of made.values()) await backend.dispose();
    });
    for (const [group, members] of grouped(allCases())) {
      it(`${group}: ${members.length} cases`, { timeout }, async () => {
        expect(await disagreements(made, members)).toEqual([]);
      });
    }
  });
}

export interface FuzzOptions {
  readonly seconds: number;
  /** Seed of the first graph. Default 1. */
  readonly seed?: number;
  /** Default true. */
  readonly fuse?: boolean;
}

/** Declares a test that runs random graphs for some seconds; it fails with the smallest graph that the backend gets wrong. */
export function fuzz(name: string, makeBackend: MakeBackend, { seconds, seed = 1, fuse = true }: FuzzOptions): void {
  it(`${name}: random graphs for ${seconds} s`, { timeout: seconds * 1000 + 60_000 }, async () => {
    const backend = await makeBackend({ fuse, poison: true });
    try {
      const { graphs, failure } = await campaign(backend, { seed, seconds });
      expect(failure === undefined ? '' : `seed ${failure.seed}: ${failure.text}\n${failure.graph}`).toBe('');
      expect(graphs).toBeGreaterThan(0);
    } finally {
      await backend.dispose();
    }
  });
}

async function disagreements(backends: ReadonlyMap<string, Backend>, cases: readonly Case[]): Promise<string[]> {
  const found: string[] = [];
  for (const item of cases) {
    const problem = item.build();
    let first: Uint8Array[] | undefined;
    for (const [key, backend] of backends) {
      const results = await resultsOf(backend, problem);
      const bytes = results.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
      first ??= bytes;
      const differs = bytes.findIndex((values, i) => values.some((byte, j) => byte !== first?.[i]?.[j]));
      if (differs >= 0) found.push(`${titleOf(item)}: result ${differs} on ${key} has other bits`);
    }
  }
  return found;
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
