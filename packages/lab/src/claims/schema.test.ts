// Claims in an experiment file: what a person gets wrong, and what they are told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../config/load.ts';
import { ConfigError } from '../config/mistakes.ts';
import toy from '../testing/toy.ts';

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

const start = `seeds: [0, 1, 2]
stages: [{ name: walk, steps: "\${steps}", scale: "\${scale}" }]
sweep: { grid: { scale: [1, 2], steps: [4, 8] } }
claims:
`;

async function load(claims: string, words: string[] = []) {
  writeFileSync('walk.yaml', start + claims);
  return loadExperiment('walk.yaml', { words, builtin: [toy] });
}

async function mistakes(claims: string): Promise<string> {
  try {
    await load(claims);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('claims', () => {
  it('take six forms', async () => {
    const { claims } = await load(`
  - { says: a, expect: { metric: m, higher: { scale: 1, steps: 4 }, than: { scale: 2, steps: 4 } } }
  - { says: b, expect: { metric: m, lower: { scale: 1, steps: 4 }, than: { scale: 2, steps: 4 }, by: 0.1 }, finding: true }
  - { says: c, expect: { metric: m, of: { scale: 1, steps: 4 }, atLeast: 0, atMost: 1, exact: true } }
  - { says: d, expect: { metric: m, equal: { scale: 1, steps: 4 }, to: { scale: 1, steps: 8 }, within: 0.1 } }
  - { says: e, expect: { metric: m, ratio: { scale: 1, steps: 4 }, to: { scale: 1, steps: 8 }, atMost: 2, interval: bootstrap } }
  - { says: f, paper: g, expect: { metric: m, count: { scale: 1 }, above: 0.7, atLeast: 2 } }
`);
    expect(claims).toHaveLength(6);
    expect(claims[0]).toEqual({
      says: 'a',
      finding: false,
      expect: { metric: 'm', higher: { scale: 1, steps: 4 }, than: { scale: 2, steps: 4 }, interval: 't', exact: false },
    });
  });

  it('of no form, of two, or with keys that do not fit are told', async () => {
    expect(
      await mistakes(`
  - { says: a, expect: { metric: m } }
  - { says: b, expect: { metric: m, higher: {}, lower: {}, than: {} } }
  - { says: c, expect: { metric: m, of: {}, by: 2, atLeast: 3, atMost: 2 } }
  - { says: d, expect: { metric: m, equal: {} } }
  - { says: e, expect: { metric: m, count: {}, atLeast: 1 } }
  - { says: f, expect: { metric: m, ratio: {}, to: {}, atLast: 1 } }
  - { expect: { metric: m, higher: 3, than: {}, by: -1 }, interval: t }
`),
    ).toMatchInlineSnapshot(`
      "walk.yaml:6:24 claims.0.expect: says nothing about the metric: write one of higher, lower, of, equal, ratio, count
      walk.yaml:7:24 claims.1.expect: higher and lower exclude each other: write one claim for each
      walk.yaml:8:49 claims.2.expect.by: does not go with of (which takes atLeast, atMost)
      walk.yaml:8:61 claims.2.expect.atLeast: is more than atMost: 3 > 2
      walk.yaml:9:24 claims.3.expect: equal needs "to" too
      walk.yaml:9:24 claims.3.expect: equal needs "within" too
      walk.yaml:10:24 claims.4.expect: count needs either "above" or "below"
      walk.yaml:11:24 claims.5.expect: ratio needs "atLeast" or "atMost" too
      walk.yaml:11:56 unknown key "atLast" — did you mean "atLeast" or "atMost"?
      walk.yaml:12:5 claims.6.says: missing; expected a text
      walk.yaml:12:36 claims.6.expect.higher: expected a block of keys, got 3
      walk.yaml:12:53 claims.6.expect.by: must be at least 0, got -1
      walk.yaml:12:59 unknown key "interval" (known keys: expect, finding, paper, says)"
    `);
  });

  it('must name variants that are there', async () => {
    expect(
      await mistakes(`
  - { says: a, expect: { metric: m, of: { scale: 1 }, atLeast: 0 } }
  - { says: b, expect: { metric: m, higher: { scael: 1, steps: 4 }, than: { scale: 3, steps: 4 } } }
  - { says: c, expect: { metric: m, count: { steps: 5 }, above: 0, atLeast: 1 } }
  - { says: d, expect: { metric: m, equal: {}, to: { colour: red }, within: 1 } }
`),
    ).toMatchInlineSnapshot(`
      "walk.yaml:6:41 claims.0.expect.of: 2 variants have these values (scale=1 steps=4, scale=1 steps=8): say steps too
      walk.yaml:7:54 claims.1.expect.higher.scael: "scael" is no variable of the sweep — did you mean "scale"?
      walk.yaml:7:84 claims.1.expect.than.scale: no variant has scale = 3 (values: 1, 2)
      walk.yaml:8:53 claims.2.expect.count.steps: no variant has steps = 5 (values: 4, 8)
      walk.yaml:9:44 claims.3.expect.equal: 4 variants have these values (scale=1 steps=4, scale=1 steps=8, scale=2 steps=4, scale=2 steps=8): say scale, steps too
      walk.yaml:9:62 claims.3.expect.to.colour: "colour" is no variable of the sweep (variables: scale, steps)"
    `);
  });

  it('stay when the command line cuts the sweep down', async () => {
    const { claims, jobs } = await load('  - { says: a, expect: { metric: m, of: { scale: 1, steps: 4 }, atLeast: 0 } }\n', ['scale=2']);
    expect(claims).toHaveLength(1);
    expect(jobs).toHaveLength(6);
  });
});
