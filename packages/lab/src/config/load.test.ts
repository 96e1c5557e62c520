// Experiment files: what a person gets wrong, and what they are told. Every message is here as it is printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { component, componentRef, definePlugin } from '@athanor/core/plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadExperiment } from './load.ts';
import { ConfigError } from './mistakes.ts';

const part = componentRef('dataset');
const lab = definePlugin({
  name: 'lab',
  components: [
    component({
      kind: 'stage',
      name: 'train',
      summary: 'trains',
      schema: z.strictObject({
        data: part,
        model: componentRef('model'),
        optimizer: componentRef('optimizer').default('sgd'),
        batch: z.int().min(1).default(64),
        steps: z.int().min(1),
        precision: z.enum(['float32', 'float64']).default('float32'),
      }),
      create: () => Promise.reject<never>(new Error('not run here')),
    }),
    component({
      kind: 'model',
      name: 'lenet5',
      summary: 'LeNet-5',
      schema: z.strictObject({ norm: componentRef('norm').default('none'), width: z.number().positive().default(1) }),
      create: () => {
        throw new Error('not made here');
      },
    }),
    ...(['none', 'batch', 'layer'] as const).map((name) =>
      component({
        kind: 'norm',
        name,
        summary: name,
        schema: z.strictObject({ eps: z.number().default(1e-5) }),
        create: () => {
          throw new Error('not made here');
        },
      }),
    ),
    component({
      kind: 'optimizer',
      name: 'sgd',
      summary: 'SGD',
      schema: z.strictObject({ lr: z.number().positive().default(0.1), momentum: z.number().default(0) }),
      create: () => {
        throw new Error('not made here');
      },
    }),
    component({
      kind: 'dataset',
      name: 'toy',
      summary: 'toy',
      schema: z.strictObject({ train: z.int().optional() }),
      create: () => Promise.reject<never>(new Error('not loaded here')),
    }),
  ],
});

const good = `question: Which norm?
seeds: [0, 1]
data: { name: toy }
model: { name: lenet5, norm: "\${norm}" }
train:
  optimizer: { name: sgd, lr: 0.05 }
  steps: 20
sweep: { grid: { norm: [none, { name: batch, eps: 0.001 }] } }
`;

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

async function load(text: string, words: string[] = []) {
  writeFileSync('norm.yaml', text);
  return loadExperiment('norm.yaml', { words, builtin: [lab] });
}

async function mistakes(text: string, words: string[] = []): Promise<string> {
  try {
    await load(text, words);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('loadExperiment', () => {
  it('expands the sweep over the seeds and fills in every default', async () => {
    const { name, question, jobs } = await load(good);
    expect({ name, question }).toEqual({ name: 'norm', question: 'Which norm?' });
    expect(jobs.map((job) => job.name)).toEqual(['norm-none.seed-0', 'norm-none.seed-1', 'norm-name-batch-eps-0.001.seed-0', 'norm-name-batch-eps-0.001.seed-1']);
    expect(jobs[3]).toMatchObject({
      values: { norm: { name: 'batch', eps: 0.001 } },
      config: {
        seed: 1,
        stages: [
          {
            name: 'train',
            data: { name: 'toy' },
            model: { name: 'lenet5', norm: { name: 'batch', eps: 0.001 }, width: 1 },
            optimizer: { name: 'sgd', lr: 0.05, momentum: 0 },
            batch: 64,
            steps: 20,
          },
        ],
      },
    });
  });

  it('lays key=value words over the file, also into lists, references and the sweep', async () => {
    const staged = 'stages:\n  - { name: train, data: toy, model: lenet5, optimizer: sgd, steps: 5, batch: "${stages.0.steps}", }\n';
    const words = ['stages.0.steps=10', 'stages.0.optimizer.lr=0.5', 'stages.0.model.norm.name=layer', 'stages.0.model.norm.eps=1', 'seeds=[7]'];
    const [job] = (await load(staged, words)).jobs;
    expect(job?.config).toMatchObject({
      seed: 7,
      stages: [{ steps: 10, batch: 10, model: { norm: { name: 'layer', eps: 1 } }, optimizer: { name: 'sgd', lr: 0.5 } }],
    });
    const pinned = await load(good, ['norm=layer', 'seeds=[3]']);
    expect(pinned.jobs.map((only) => only.values)).toEqual([{ norm: 'layer' }]);
  });

  it('sets a place that the sweep names', async () => {
    const text = good.replace(/sweep:.*/, 'sweep: { grid: { train.batch: [2, 8], norm: [batch] } }').replace('[0, 1]', '[0]');
    const { jobs } = await load(text);
    expect(jobs.map((job) => job.config.stages[0])).toMatchObject([{ batch: 2 }, { batch: 8 }]);
  });

  it('fills references inside texts, keeps `$${` and the type of whole ones', async () => {
    const { question } = await load(`question: "$\${x} at \${train.steps} steps"\n${good.slice(good.indexOf('\n') + 1)}`);
    expect(question).toBe('$${x} at ${train.steps} steps');
  });

  it('names unknown keys, the nearest one, and the place, all at once', async () => {
    const text = good
      .replace('steps: 20', 'steps: 0\n  bach: 3\n  precision: float23')
      .replace('lr: 0.05', 'lr: fast, momentun: 0.9')
      .replace('seeds', 'seds')
      .replace('name: toy', 'name: toi');
    expect(await mistakes(text)).toMatchInlineSnapshot(`
      "norm.yaml:2:1 unknown key "seds" — did you mean "seeds"?
      norm.yaml:3:15 data.name: unknown dataset "toi" — did you mean "toy"?
      norm.yaml:6:31 train.optimizer.lr: expected a number, got "fast"
      norm.yaml:6:37 unknown key "momentun" — did you mean "momentum"?
      norm.yaml:7:10 train.steps: must be at least 1, got 0
      norm.yaml:8:3 unknown key "bach" — did you mean "batch"?
      norm.yaml:9:14 train.precision: "float23" is not one of "float32", "float64" — did you mean "float32" or "float64"?"
    `);
  });

  it('points at the sweep value that is wrong, once', async () => {
    expect(await mistakes(good.replace('none, {', 'bach, { width: 3,'))).toMatchInlineSnapshot(`
      "norm.yaml:8:25 model.norm: unknown norm "bach" — did you mean "batch"?
      norm.yaml:8:33 unknown key "width" (known keys: eps)"
    `);
  });

  it('points at the word of the command line', async () => {
    expect(
      await mistakes(good, ['train.stepz=3', 'train.batch=many', 'seeds.5=1', 'train.steps.x=2', 'steps', 'norm=bacth', 'a b=1', 'x=[1', 'sede=4', 'model.depth.units=3']),
    ).toMatchInlineSnapshot(`
      "command line "steps" expected key=value, for example train.steps=10
      command line "a b=1" "a b" is not a key such as train.steps
      command line "x=[1" this [ is not closed
      command line "seeds.5=1" seeds has 2 entries, so 5 is none of them
      command line "train.steps.x=2" train.steps is 20, which has no "x"
      command line "sede=4" unknown key "sede" (known keys: backend, claims, data, extends, model, plugins, question, quick, seeds, stages, sweep, train)
      command line "train.batch=many" train.batch: expected a number, got "many"
      command line "train.stepz=3" unknown key "stepz" — did you mean "steps"?
      command line "model.depth.units=3" unknown key "depth" (known keys: norm, width)
      command line "norm=bacth" model.norm: unknown norm "bacth" — did you mean "batch"?"
    `);
  });

  it('tells what is missing', async () => {
    expect(await mistakes('train: { batch: 2 }\n')).toMatchInlineSnapshot(`
      "norm.yaml:1:1 data: missing; expected a dataset: its name, or { name: …, and its config }
      norm.yaml:1:1 model: missing; expected a model: its name, or { name: …, and its config }
      norm.yaml:1:8 train.steps: missing; expected a number"
    `);
    expect(await mistakes('question: Why?\n')).toMatchInlineSnapshot(`"norm.yaml:1:1 nothing to run: write \`train\` or \`stages\`"`);
    expect(await mistakes(`${good}stages: [{ name: train, data: toy, model: lenet5, steps: 1 }]\n`)).toMatchInlineSnapshot(`"norm.yaml:5:1 write either \`train\` or \`stages\`, not both"`);
  });

  it('explains wrong references and sweep variables', async () => {
    const text = good.replace('steps: 20', 'steps: ${train.stepz}\n  batch: ${train.batch}').replace('norm: [none', 'nrm: [none');
    expect(await mistakes(text)).toMatchInlineSnapshot(`
      "norm.yaml:4:30 model.norm: \${norm} names nothing — did you mean "nrm"?
      norm.yaml:7:10 train.steps: \${train.stepz} names nothing — did you mean "train.steps" or "train"?
      norm.yaml:8:10 train.batch: the reference goes in a circle: train.batch → train.batch
      norm.yaml:9:18 sweep variable "nrm" is used nowhere: write "\${nrm}" where it belongs, or name a place such as train.batch"
    `);
  });

  it('reads YAML strictly', async () => {
    expect(await mistakes('seeds: [0]\nseeds: [1]\n1: x\ntrain: !secret {}\n')).toMatchInlineSnapshot(`
      "norm.yaml:2:1 the key "seeds" is there twice: keep one
      norm.yaml:3:1 keys must be text, not 1; put it in quotes
      norm.yaml:4:8 the tag !secret means nothing here: leave it out, or put the value in quotes"
    `);
    expect(await mistakes('train: { steps: 3\n')).toMatchInlineSnapshot(`"norm.yaml:1:8 this { is not closed"`);
    expect(await mistakes('- train\n')).toMatchInlineSnapshot(`"norm.yaml:1:1 expected a block of keys at the top"`);
    expect(await mistakes('')).toMatchInlineSnapshot(`"norm.yaml:1:1 the file is empty"`);
    expect(await mistakes('train:\n\tsteps: 3\n')).toMatchInlineSnapshot(`"norm.yaml:2:1 this line is indented by a tab: use spaces"`);
  });

  it('tells which plugin is not there or is none', async () => {
    writeFileSync('wrong.mjs', 'export default { version: 1 };');
    writeFileSync('broken.mjs', 'throw new Error("no luck");');
    const text = `plugins: ["./wrong.mjs", ./absent.ts, "@athanor/nrom", ./broken.mjs]\n${good}`;
    expect(await mistakes(text)).toMatchInlineSnapshot(`
      "norm.yaml:1:11 "./wrong.mjs" exports no plugin — its default export must be definePlugin({ name, components })
      norm.yaml:1:26 cannot find plugin "./absent.ts" — looked for absent.ts
      norm.yaml:1:39 cannot find plugin "@athanor/nrom" — npm install @athanor/nrom
      norm.yaml:1:56 plugin "./broken.mjs" failed while loading: no luck"
    `);
  });

  it('tells that the file is not there', async () => {
    writeFileSync('norm.yaml', good);
    await expect(loadExperiment('nrom.yaml', { builtin: [lab] })).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: there is no experiment nrom.yaml — did you mean "norm.yaml"?]`);
  });
});
