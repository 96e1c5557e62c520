// Templates: each is written, is valid, runs to its end in its quick form, and overwrites nothing. `show` and `schema`.
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import cpu from '@athanor/backend-cpu';
import norm from '@athanor/norm';
import zoo from '@athanor/zoo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments, parseDocument } from 'yaml';
import * as z from 'zod';
import { experimentJsonSchema } from '../config/json-schema.ts';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { installedRegistry } from '../plugins/installed.ts';
import { runStudy } from '../run/runner.ts';
import { createStudy, runStatus } from '../run/study.ts';
import { templateFolder, templates } from './init.ts';
import { main } from './main.ts';

const before = process.cwd();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function athanor(...words: string[]) {
  const out: string[] = [];
  const error: string[] = [];
  const code = await main(words, { out: (text) => out.push(text), error: (text) => error.push(text), progress: { write: () => true } });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

/** Our packages are given, so that sources are checked and not what was last built. */
function withoutPackages(file: string): void {
  const document = parseDocument(readFileSync(file, 'utf8'));
  const plugins = (document.toJS() as { plugins: string[] }).plugins.filter((specifier) => specifier.startsWith('.'));
  document.set('plugins', plugins);
  writeFileSync(file, document.toString());
}

describe('athanor init', () => {
  it.each(Object.keys(templates))('%s is written, and what it writes runs', async (template) => {
    // As in a project where the packages are installed.
    symlinkSync(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), 'node_modules');
    const { code, out } = await athanor('init', template, 'here');
    expect(code).toBe(0);
    const files = readdirSync('here');
    expect(files).toEqual([...readdirSync(templateFolder(template)), 'schema.json'].toSorted());
    const file = /Next: athanor run (.*)/.exec(out)?.[1] ?? '';
    expect(readFileSync(file, 'utf8')).toMatch(/^# yaml-language-server: \$schema=schema.json\n/);
    withoutPackages(file);
    const words = ['backend=cpu', 'data.train=64', 'data.test=32'];
    const experiment = await loadExperiment(file, { quick: true, words, builtin: [...builtinPlugins, norm, zoo, cpu] });
    const study = createStudy(experiment, 'runs');
    await runStudy(study, { registry: experiment.registry, packages: {}, observer: { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} } });
    expect(study.runs.map(runStatus)).toEqual(study.runs.map(() => 'done'));
  }, 60_000);

  it('overwrites nothing and knows what it has', async () => {
    await athanor('init', 'classifier');
    const text = readFileSync('classifier.yaml', 'utf8');
    writeFileSync('schema.json', '{}');
    expect(await athanor('init')).toEqual({ code: 2, out: '', error: 'classifier.yaml is there already — nothing was written: name another folder, or move what is there' });
    expect(readFileSync('classifier.yaml', 'utf8')).toBe(text);
    expect(readFileSync('schema.json', 'utf8')).toBe('{}');
    expect((await athanor('init', 'clasifier')).error).toBe('there is no template "clasifier" — did you mean "classifier"? — templates: classifier, sweep, plugin');
  });
});

describe('athanor show', () => {
  const toy = fileURLToPath(new URL('../testing/toy.ts', import.meta.url));

  it('prints jobs with every default, of a file and of a run', async () => {
    writeFileSync('walk.yaml', `plugins: [${JSON.stringify(toy)}]\nstages: [{ name: walk, scale: "\${scale}" }]\nsweep: { grid: { scale: [1, 2] } }\nquick: { "stages.0.steps": 2 }\n`);
    const { out } = await athanor('show', 'walk.yaml', 'stages.0.steps=4');
    expect(out).toMatchInlineSnapshot(`
      "# scale-1.seed-0
      seed: 0
      stages:
        - name: walk
          steps: 4
          checkpointEvery: 3
          wait: 0
          scale: 1
      ---
      # scale-2.seed-0
      seed: 0
      stages:
        - name: walk
          steps: 4
          checkpointEvery: 3
          wait: 0
          scale: 2"
    `);
    expect(parseAllDocuments(out).map((document) => document.toJS() as unknown)).toMatchObject([{ seed: 0 }, { stages: [{ scale: 2 }] }]);
    expect((await athanor('show', 'walk.yaml', '--quick', '--job', 'scale-2')).out).toContain('steps: 2');
    await athanor('run', 'walk.yaml', 'stages.0.steps=4');
    expect((await athanor('show', 'walk')).out).toBe(out);
    expect((await athanor('show', 'walk', '--quick')).error).toBe('walk is no experiment file: overrides and --quick go with one — a run has the config that it was begun with');
    expect((await athanor('show', 'walk.yaml', '--job', 'scale-3')).error).toBe('there is no job "scale-3" — jobs: scale-1.seed-0, scale-2.seed-0');
  });
});

describe('athanor schema', () => {
  it('accepts the experiments of the templates, and no typo', async () => {
    const { registry } = await installedRegistry(resolve(before), []);
    const schema = z.fromJSONSchema(experimentJsonSchema(registry) as Parameters<typeof z.fromJSONSchema>[0]);
    const check = (text: string) => schema.safeParse(parseDocument(text).toJS()).success;
    const text = readFileSync(join(templateFolder('sweep'), 'sweep.yaml'), 'utf8');
    expect(check(text)).toBe(true);
    expect(check(text.replace('epochs: 3', 'epochs: "${n}"'))).toBe(true);
    const typos = [['epochs: 3', 'epoch: 3'], ['epochs: 3', 'epochs: many'], ['momentum', 'momentun'], ['lenet5', 'lenet55'], ['grid:', 'gird:'], ['question', 'qestion']] as const;
    const wrong = typos.map(([right, typo]) => text.replace('sgd, ', 'sgd, momentum: 0.1, ').replace(right, typo));
    expect(wrong.map(check)).toEqual(typos.map(() => false));
  });
});
