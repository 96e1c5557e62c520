// Sweeps: which variants each way gives, how words pin variables, and what is told of wrong ones.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import toy from '../testing/toy.ts';
import { loadExperiment } from './load.ts';
import { ConfigError } from './mistakes.ts';
import { latinHypercube, randomSamples } from './sample.ts';

let folder = '';
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function load(sweep: string, words: readonly string[] = [], options: { quick?: boolean } = {}) {
  writeFileSync('walk.yaml', `stages: [{ name: walk, steps: "\${steps}", scale: "\${scale}" }]\nsweep:\n${sweep}`);
  return loadExperiment('walk.yaml', { words, builtin: [toy], ...options });
}

async function variants(sweep: string, words: readonly string[] = []): Promise<Readonly<Record<string, unknown>>[]> {
  return (await load(sweep, words)).jobs.map(({ values }) => values);
}

async function mistakes(sweep: string, words: readonly string[] = []): Promise<string> {
  try {
    await load(sweep, words);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('a sweep', () => {
  it('takes every combination of a grid', async () => {
    expect(await variants('  grid: { steps: [1, 2], scale: [3, 4] }\n')).toEqual([
      { steps: 1, scale: 3 },
      { steps: 1, scale: 4 },
      { steps: 2, scale: 3 },
      { steps: 2, scale: 4 },
    ]);
  });

  it('zips lists, and takes lists of variants', async () => {
    const both = [
      { steps: 1, scale: 3 },
      { steps: 2, scale: 4 },
    ];
    expect(await variants('  zip: { steps: [1, 2], scale: [3, 4] }\n')).toEqual(both);
    expect(await variants('  list: [{ steps: 1, scale: 3 }, { steps: 2, scale: 4 }]\n')).toEqual(both);
  });

  it('draws variants, the same ones every time', async () => {
    const space = 'space: { steps: { int: [1, 9] }, scale: { log: [1e-3, 1] } } }\n';
    const drawn = await variants(`  random: { samples: 5, ${space}`);
    expect(drawn).toMatchInlineSnapshot(`
      [
        {
          "scale": 0.0608402,
          "steps": 2,
        },
        {
          "scale": 0.264982,
          "steps": 9,
        },
        {
          "scale": 0.734468,
          "steps": 6,
        },
        {
          "scale": 0.00173436,
          "steps": 9,
        },
        {
          "scale": 0.210096,
          "steps": 3,
        },
      ]
    `);
    expect(await variants(`  random: { samples: 5, seed: 1, ${space}`)).not.toEqual(drawn);
    expect(await variants(`  lhs: { samples: 9, ${space}`)).toHaveLength(9);
  });

  it('is pinned by a word, whatever its way', async () => {
    expect(await variants('  grid: { steps: [1, 2], scale: [3, 4] }\n', ['scale=7'])).toEqual([{ steps: 1, scale: 7 }, { steps: 2, scale: 7 }]);
    expect(await variants('  zip: { steps: [1, 2], scale: [3, 4] }\n', ['scale=7', 'steps=5'])).toEqual([{ steps: 5, scale: 7 }]);
    expect(await variants('  list: [{ steps: 1, scale: 3 }, { steps: 2, scale: 4 }]\n', ['scale=7'])).toEqual([{ steps: 1, scale: 7 }, { steps: 2, scale: 7 }]);
    expect(await variants('  random: { samples: 3, space: { steps: { choice: [1, 2] }, scale: { uniform: [0, 1] } } }\n', ['scale=7', 'steps=2'])).toEqual([{ steps: 2, scale: 7 }]);
  });

  it('tells what is wrong with it', async () => {
    expect(await mistakes('  gird: { steps: [1] }\n')).toMatchInlineSnapshot(`
      "walk.yaml:1:50 stages.0.scale: \${scale} names nothing (it may be a variable of the sweep, the seed, or a place such as train.batch)
      walk.yaml:3:3 unknown key "gird" — did you mean "grid"?"
    `);
    expect(await mistakes('  zip: { steps: [1, 2], scale: [3] }\n')).toMatchInlineSnapshot(`"walk.yaml:3:32 sweep.zip.scale: has 1 value, but "steps" has 2: zip takes one of each"`);
    expect(await mistakes('  grid: { steps: [1, 1], scale: [3] }\n  zip: { steps: [1], scale: [1] }\n')).toMatchInlineSnapshot(`"walk.yaml:4:8 sweep.zip: grid and zip exclude each other"`);
    expect(await mistakes('  grid: { steps: [1, 2, 1], scale: [], colour: [red] }\n')).toMatchInlineSnapshot(`
      "walk.yaml:3:25 sweep.grid.steps.2: 1 is there twice
      walk.yaml:3:36 sweep.grid.scale: must have at least 1 entry"
    `);
    expect(await mistakes('  random: { samples: 0, space: { steps: { int: [3, 1] }, scale: { unifrom: [0, 1] }, size: { log: [0, 1], int: [1, 2] }, colour: 3 } }\n')).toMatchInlineSnapshot(`
      "walk.yaml:3:22 sweep.random.samples: must be at least 1, got 0
      walk.yaml:3:48 sweep.random.space.steps.int: goes from 3 to 1: the second must be more
      walk.yaml:3:67 unknown key "unifrom" — did you mean "uniform"?
      walk.yaml:3:92 sweep.random.space.size: write one of uniform: [from, to], log: [from, to], int: [from, to], choice: […]
      walk.yaml:3:100 sweep.random.space.size.log.0: must be more than 0, got 0
      walk.yaml:3:130 sweep.random.space.colour: expected a block of keys, got 3"
    `);
    expect(await mistakes('  grid: { steps: [4], scale: [3], stages.0.scale: [5], "stages.0": [walk] }\n')).toMatchInlineSnapshot(`"walk.yaml:3:51 sweep.grid.stages.0.scale: is overwritten by "stages.0", which comes later: put it after"`);
    expect(await mistakes('  list: [{ steps: 4, scale: 3 }, { steps: 4 }]\n')).toMatchInlineSnapshot(`"walk.yaml:1:50 stages.0.scale: \${scale} names nothing (it may be a variable of the sweep, the seed, or a place such as train.batch)"`);
    expect(await mistakes('  lhs: { samples: 2, space: { steps: { int: [1, 2] }, scale: { uniform: [-3, 0] } } }\nseeds: [1, 1]\n', ['scale=x'])).toMatchInlineSnapshot(`
      "walk.yaml:4:12 seeds.1: 1 is there twice
      command line "scale=x" stages.0.scale: expected a number, got "x""
    `);
  });
});

describe('quick', () => {
  const rest = '  grid: { steps: [4, 5], scale: [1, 2] }\nseeds: [0, 1]\nquick: { seeds: [5], steps: 2, "stages.0.wait": 3, sweep: { zip: { scale: [8], steps: [6] } } }\n';

  it('is laid over the file, under the words', async () => {
    expect((await load(rest)).jobs).toHaveLength(8);
    const { jobs } = await load(rest, ['stages.0.wait=1'], { quick: true });
    expect(jobs.map(({ values, config }) => ({ values, config }))).toMatchObject([{ values: { scale: 8, steps: 6 }, config: { seed: 5, stages: [{ wait: 1 }] } }]);
  });

  it('may put a variable out of use', async () => {
    const file = '  grid: { steps: [4, 5], scale: [1, 2] }\nquick: { stages.0.steps: 2 }\n';
    expect((await load(file, [], { quick: true })).jobs).toHaveLength(4);
    expect((await load(file, ['stages.0.scale=2'])).jobs).toHaveLength(4);
  });

  it('is checked also when it is not what runs', async () => {
    const wrong = rest.replace('wait": 3', 'wiat": 3').replace('scale: [8]', 'scale: [8, 9]').replace('{ seeds: [5]', '{ seeds: [-1], "a b": 1, train.x.: 2, stages.1.steps: 3');
    expect(await mistakes(wrong)).toMatchInlineSnapshot(`
      "walk.yaml:5:18 seeds.0: must be at least 0, got -1
      walk.yaml:5:23 "a b" is not a key such as train.steps
      walk.yaml:5:33 "train.x." is not a key such as train.steps
      walk.yaml:5:46 stages has 1 entry, so 1 is none of them
      walk.yaml:5:75 unknown key "wiat" — did you mean "wait"?
      walk.yaml:5:133 sweep.zip.steps: has 1 value, but "scale" has 2: zip takes one of each"
    `);
  });
});

describe('draws', () => {
  const space = { a: { uniform: [-2, 3] as [number, number] }, b: { int: [0, 6] as [number, number] }, c: { choice: ['x', 'y'] } };

  it('of a Latin hypercube fall once into each part of every range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (samples, seed) => {
        const drawn = latinHypercube({ samples, seed, space: { a: space.a, c: { choice: Array.from({ length: samples }, (_, index) => index) } } });
        const parts = drawn.map(({ a }) => Math.min(samples - 1, Math.floor(((Number(a) + 2) / 5) * samples + 1e-4)));
        expect(new Set(drawn.map(({ c }) => c)).size).toBe(samples);
        expect(new Set(parts).size).toBeGreaterThanOrEqual(samples - 1);
      }),
      { numRuns: 50 },
    );
  });

  it('of one variable do not depend on the others, and stay in range', () => {
    const all = randomSamples({ samples: 200, seed: 4, space });
    expect(randomSamples({ samples: 200, seed: 4, space: { b: space.b } }).map(({ b }) => b)).toEqual(all.map(({ b }) => b));
    expect(new Set(all.map(({ b }) => b))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    for (const { a } of all) expect(Math.abs(Number(a) - 0.5)).toBeLessThanOrEqual(2.5);
    const mean = all.reduce((sum, { a }) => sum + Number(a), 0) / all.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.5);
  });
});
