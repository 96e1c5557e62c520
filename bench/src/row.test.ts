// How a row comes about: order of turns, who is left out, ratios and values.
import { describe, expect, it } from 'vitest';
import type { Contestant } from './contestant.ts';
import { valueOf, type Case } from './problem.ts';
import { agree, measure, type RowPlan } from './row.ts';

const entry: Case = { workload: 'W1', name: 'NN-16', problem: { kind: 'matmul', n: 16, form: 'NN' }, unit: 'GFLOP/s', work: 8e6 };

interface Script {
  readonly values?: readonly number[];
  readonly milliseconds?: number;
  readonly concerns?: boolean;
  readonly fails?: string;
}

/** A contestant whose steps always take the same time; turns are written to `log`. */
function scripted(name: string, { values = [1, 2], milliseconds = 10, concerns = true, fails }: Script, log: string[] = []): Contestant {
  return {
    name,
    concerns: () => concerns,
    prepare: () => (fails === undefined ? Promise.resolve(values) : Promise.reject(new Error(fails))),
    warm: () => Promise.resolve(milliseconds),
    sample: () => {
      log.push(name);
      return Promise.resolve([milliseconds, milliseconds, milliseconds * 50]);
    },
    close: () => Promise.resolve(),
  };
}

function plan(ours: Contestant, peers: readonly Contestant[], notes: string[] = []): RowPlan {
  return { entry, backend: { name: 'cpu', threads: 1 }, ours, peers, seconds: 1, error: 1e-7, note: (text) => notes.push(text) };
}

describe('measure', () => {
  it('gives a row of exactly the documented keys', async () => {
    const row = await measure(plan(scripted('cpu', { milliseconds: 4 }), [scripted('torch', { milliseconds: 2 })]));
    expect(row).toEqual({
      workload: 'W1',
      case: 'NN-16',
      backend: 'cpu',
      threads: 1,
      median_ms: 4,
      value: 2,
      unit: 'GFLOP/s',
      error: 1e-7,
      peers: [{ name: 'torch', median_ms: 2, ratio: 0.5 }],
    });
  });

  it('lets everybody run in turn', async () => {
    const log: string[] = [];
    await measure(plan(scripted('a', {}, log), [scripted('b', {}, log), scripted('c', {}, log)]));
    expect(log.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(log.length).toBe(21);
  });

  it('gives slow ones fewer turns', async () => {
    const log: string[] = [];
    await measure(plan(scripted('a', {}, log), [scripted('slow', { milliseconds: 5000 }, log)]));
    expect(log.filter((name) => name === 'slow')).toHaveLength(1);
    expect(log.filter((name) => name === 'a')).toHaveLength(7);
  });

  it('leaves out who computes something else, fails, or is not concerned', async () => {
    const notes: string[] = [];
    const peers = [scripted('wrong', { values: [1, 2.1] }), scripted('broken', { fails: 'no memory' }), scripted('aside', { concerns: false }), scripted('right', {})];
    const row = await measure(plan(scripted('cpu', {}), peers, notes));
    expect(row.peers.map(({ name }) => name)).toEqual(['right']);
    expect(notes).toMatchInlineSnapshot(`
      [
        "W1 NN-16: wrong is left out: it reads 1, 2.1 where we read 1, 2",
        "W1 NN-16: broken is left out: no memory",
      ]
    `);
  });
});

describe('agree', () => {
  it('allows rounding, not another result', () => {
    expect(agree([2.3, 1e-3], [2.3001, 1.001e-3])).toBe(true);
    expect(agree([2.3], [2.4])).toBe(false);
    expect(agree([0], [0])).toBe(true);
    expect(agree([1], [NaN])).toBe(false);
    expect(agree([NaN], [NaN])).toBe(false);
    expect(agree([1, 2], [1])).toBe(false);
  });
});

describe('valueOf', () => {
  it.each([
    ['GFLOP/s', 2e9, 100, 20],
    ['GB/s', 8e6, 2, 4],
    ['images/s', 128, 64, 2000],
    ['steps/s', 1, 4, 250],
    ['ms', 1, 4, 4],
    ['µs', 1000, 4, 4],
  ] as const)('%s', (unit, work, milliseconds, expected) => {
    expect(valueOf({ ...entry, unit, work }, milliseconds)).toBeCloseTo(expected, 12);
  });
});
