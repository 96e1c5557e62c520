// Files that extend others, configs as modules, and graphs of stages: what comes out, and where mistakes are told to be.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { component, definePlugin } from '@athanor/core/plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { builtinPlugins } from '../plugins/builtin.ts';
import toy from '../testing/toy.ts';
import { loadExperiment } from './load.ts';
import { ConfigError } from './mistakes.ts';

const model = definePlugin({
  name: 'models',
  components: [
    component({
      kind: 'model',
      name: 'probe',
      summary: 'never made',
      schema: z.strictObject({}),
      create: () => {
        throw new Error('not made here');
      },
    }),
  ],
});

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

async function load(files: Record<string, string>, words: readonly string[] = [], builtin = [toy]) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, text);
  }
  return loadExperiment(Object.keys(files)[0] ?? '', { words, builtin });
}

async function mistakes(files: Record<string, string>, words: readonly string[] = []): Promise<string> {
  try {
    await load(files, words);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('extends', () => {
  it('lays files one over the other: blocks merge, the rest replaces', async () => {
    const { jobs, question } = await load({
      'top.yaml': 'extends: [base.yaml, below/second.yaml]\nstages: { first: { wait: 1 }, other: { name: walk } }\nsweep: { zip: { first.scale: [5] } }\n',
      'base.yaml': 'question: Why?\nseeds: [1, 2]\nstages: { first: { name: walk, steps: 3, scale: 2 } }\nsweep: { grid: { stages.first.steps: [4, 5] } }\n',
      'below/second.yaml': 'extends: [third.yaml]\nseeds: [3]\n',
      'below/third.yaml': 'seeds: [4, 5, 6]\nstages: { other: walk }\n',
    }, ['sweep={ grid: { stages.first.steps: [7] } }']);
    expect(question).toBe('Why?');
    expect(jobs.map(({ config }) => config)).toMatchObject([
      { seed: 3, graph: [{ id: 'first', needs: [] }, { id: 'other', needs: [] }], stages: [{ name: 'walk', steps: 7, scale: 2, wait: 1 }, { name: 'walk', steps: 10 }] },
    ]);
  });

  it('drops the config of a component that is replaced by another, and the other ways of a sweep', async () => {
    const { jobs } = await load({
      'top.yaml': 'extends: [base.yaml]\ntrain: { optimizer: { name: adam, lr: 0.01 }, schedule: { warmup: 3 } }\nsweep: { list: [{ train.steps: 5 }] }\n',
      'base.yaml': 'data: fashion-mnist\nmodel: none\ntrain: { steps: 3, optimizer: { name: sgd, momentum: 0.9 }, schedule: cosine }\nsweep: { grid: { train.steps: [7, 8] } }\n',
    }, ['model=probe'], [...builtinPlugins, model]);
    expect(jobs.map(({ config }) => config.stages)).toMatchObject([[{ steps: 5, optimizer: { name: 'adam', lr: 0.01 }, schedule: { name: 'cosine', warmup: 3 } }]]);
  });

  it('takes plugins from the folder of the file that names them', async () => {
    const path = relative(join(process.cwd(), 'below'), fileURLToPath(new URL('../testing/toy.ts', import.meta.url)));
    const { plugins, jobs } = await load({ 'top.yaml': 'extends: [below/base.yaml]\n', 'below/base.yaml': `plugins: ["./${path}"]\nstages: [walk]\n` }, [], []);
    expect(jobs).toHaveLength(1);
    expect(plugins).toEqual([`./${join('below', path)}`.replace('./..', '..')]);
  });

  it('tells each mistake in the file where it stands', async () => {
    expect(
      await mistakes({
        'top.yaml': 'extends: [base.yaml, bsae.yaml, 3]\nstages: [walk]\n',
        'base.yaml': 'seeds: [0]\n',
      }),
    ).toMatchInlineSnapshot(`"top.yaml:1:10 extends: expected a list of files"`);
    expect(
      await mistakes({
        'top.yaml': 'extends: [base.yaml, bsae.yaml, loop.yaml]\nstages: { a: { sclae: 3 } }\n',
        'base.yaml': 'sedes: [0]\nstages: { a: { name: walk,\n  steps: many } }\n',
        'loop.yaml': 'extends: [top.yaml]\n',
      }),
    ).toMatchInlineSnapshot(`
      "top.yaml:1:22 extends.1: there is no file bsae.yaml — did you mean "base.yaml"?
      loop.yaml:1:11 extends.0: goes in a circle: top.yaml → loop.yaml → top.yaml"
    `);
    expect(
      await mistakes({
        'top.yaml': 'extends: [base.yaml]\nstages: { a: { sclae: 3 } }\n',
        'base.yaml': 'sedes: [0]\nstages: { a: { name: walk,\n  steps: many } }\n',
      }),
    ).toMatchInlineSnapshot(`
      "base.yaml:1:1 unknown key "sedes" — did you mean "seeds"?
      base.yaml:3:10 stages.a.steps: expected a number, got "many"
      top.yaml:2:16 unknown key "sclae" — did you mean "scale"?"
    `);
  });
});

describe('a module', () => {
  it('is an experiment as well, and may extend YAML', async () => {
    const { jobs, name } = await load({
      'top.mjs': 'const steps = [1, 2].map((n) => 2 * n);\nexport default { extends: ["base.yaml"], sweep: { grid: { "stages.0.steps": steps } } };\n',
      'base.yaml': 'stages: [walk]\n',
    });
    expect(name).toBe('top');
    expect(jobs.map(({ values }) => values)).toEqual([{ 'stages.0.steps': 2 }, { 'stages.0.steps': 4 }]);
  });

  it('in TypeScript too', async () => {
    const { jobs } = await load({ 'typed.ts': 'interface Steps { readonly steps: number }\nconst one: Steps = { steps: 4 };\nexport default { stages: [{ name: "walk", ...one }] } as const;\n' });
    expect(jobs).toMatchObject([{ config: { stages: [{ steps: 4 }] } }]);
  });

  it('tells the path of each mistake', async () => {
    expect(await mistakes({ 'a.mjs': 'export default { sedes: [0], stages: [{ name: "walk", steps: "many", sclae: 2 }], sweep: { grid: { x: [1] } } };\n' })).toMatchInlineSnapshot(`
      "a.mjs sedes: unknown key "sedes" — did you mean "seeds"?
      a.mjs sweep.grid.x: sweep variable "x" is used nowhere: write "\${x}" where it belongs, or name a place such as train.batch
      a.mjs stages.0.steps: expected a number, got "many"
      a.mjs stages.0.sclae: unknown key "sclae" — did you mean "scale"?"
    `);
    expect(await mistakes({ 'b.mjs': 'export default { seeds: [NaN], stages: [{ name: "walk", made: new Date(), steps: () => 3 }] };\n' })).toMatchInlineSnapshot(`
      "b.mjs seeds.0: NaN is no plain data
      b.mjs stages.0.made: a Date is no plain data
      b.mjs stages.0.steps: a function is no plain data"
    `);
    expect(await mistakes({ 'c.mjs': 'export const experiment = {};\n' })).toMatchInlineSnapshot(`"c.mjs its default export must be the experiment: export default { … }"`);
    expect(await mistakes({ 'd.mjs': 'throw new Error("no luck");\n' })).toMatchInlineSnapshot(`"d.mjs failed while loading: no luck"`);
  });
});

describe('named stages', () => {
  it('run in an order that their needs allow', async () => {
    const { jobs } = await load({
      'top.yaml': 'stages:\n  last: { name: walk, steps: 1, needs: [teacher, student] }\n  student: { name: walk, steps: 2, needs: [teacher] }\n  teacher: { name: walk, steps: 3 }\n',
    }, ['stages.student.steps=9']);
    expect(jobs[0]?.config.graph).toEqual([
      { id: 'teacher', needs: [] },
      { id: 'student', needs: ['teacher'] },
      { id: 'last', needs: ['teacher', 'student'] },
    ]);
    expect(jobs[0]?.config.stages).toMatchObject([{ name: 'walk', steps: 3 }, { steps: 9 }, { steps: 1 }]);
  });

  it('tell of needs that cannot be', async () => {
    expect(
      await mistakes(
        {
          'top.yaml':
            'stages:\n  a: { name: walk, needs: [b] }\n  b: { name: walk, needs: [c, techer] }\n  c: { name: walk, needs: [a] }\n  teacher: { name: wlak, needs: a, steps: 0 }\n  ../x: walk\n  d: { steps: 2 }\n  e: { name: walk, needs: [e] }\n',
        },
        ['stages.teachr.steps=3'],
      ),
    ).toMatchInlineSnapshot(`
      "top.yaml:2:27 stages.a.needs: the needs go in a circle: a → b → c → a
      top.yaml:3:31 stages.b.needs.1: there is no stage "techer" — did you mean "teacher"?
      top.yaml:5:20 stages.teacher.name: unknown stage "wlak" — did you mean "walk"?
      top.yaml:5:33 stages.teacher.needs: expected a list of stages, got "a"
      top.yaml:6:9 stages.../x: "../x" is no name for a stage: letters, digits, - and _
      top.yaml:7:6 stages.d.name: missing; expected a text
      command line "stages.teachr.steps=3" there is no stage "teachr" — did you mean "teacher"?"
    `);
    expect(await mistakes({ 'top.yaml': 'stages: {}\n' })).toMatchInlineSnapshot(`"top.yaml:1:9 stages: there are none"`);
  });
});
