// Every experiment of the repository, and the examples of the two guides, are valid.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import cpu from '@athanor/backend-cpu';
import native from '@athanor/backend-native';
import wasm from '@athanor/backend-wasm';
import { Registry } from '@athanor/core/plugin';
import norm from '@athanor/norm';
import zoo from '@athanor/zoo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import * as z from 'zod';
import { builtinPlugins } from '../plugins/builtin.ts';
import { loadPlugin } from '../plugins/load.ts';
import { experimentJsonSchema } from './json-schema.ts';
import { loadExperiment } from './load.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const builtin = [...builtinPlugins, norm, zoo, cpu, native, wasm];
const files = readdirSync(join(root, 'experiments'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.yaml') && !/node_modules|runs|(^|[/.])base\.yaml$/.test(file),
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads a text as an experiment; our packages are given, so that sources are checked and not what was last built. */
async function load(text: string, beside = folder) {
  const document = parseDocument(text);
  const plugins = ((document.toJS() as { plugins?: string[] }).plugins ?? []).filter((specifier) => specifier.startsWith('.'));
  document.set('plugins', plugins.map((specifier) => resolve(beside, specifier)));
  const file = join(folder, 'example.yaml');
  writeFileSync(file, document.toString());
  return loadExperiment(file, { builtin });
}

function blocks(guide: string, language: string): string[] {
  const text = readFileSync(join(root, 'docs', guide), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);
}

describe('experiments/', () => {
  it.each(files)('%s is valid and asks a question', async (file) => {
    const { jobs, question } = await load(readFileSync(join(root, 'experiments', file), 'utf8'), dirname(join(root, 'experiments', file)));
    expect(jobs.length).toBeGreaterThan(0);
    expect(question).toMatch(/\?$/);
  });
});

describe('experiments/schema.json', () => {
  it('is that of the components that there are', async () => {
    const registry = new Registry(builtin);
    for (const file of files) {
      const path = join(root, 'experiments', file);
      const { plugins = [] } = parseDocument(readFileSync(path, 'utf8')).toJS() as { plugins?: string[] };
      for (const specifier of plugins.filter((one) => one.startsWith('.'))) {
        const plugin = await loadPlugin(specifier, path);
        if (!registry.list().some((registered) => registered.package === plugin.name)) registry.add(plugin);
      }
    }
    const written = readFileSync(join(root, 'experiments', 'schema.json'), 'utf8');
    expect(JSON.parse(written), 'npm run schema writes it anew').toEqual(experimentJsonSchema(registry));
  });

  it('accepts every experiment', () => {
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(join(root, 'experiments', 'schema.json'), 'utf8')) as Parameters<typeof z.fromJSONSchema>[0]);
    const refused = files.flatMap((file) => {
      const { error } = schema.safeParse(parseDocument(readFileSync(join(root, 'experiments', file), 'utf8')).toJS());
      return error === undefined ? [] : [{ file, issues: error.issues }];
    });
    expect(refused).toEqual([]);
  });
});

describe('the guides', () => {
  it('show experiments that are valid, and parts that can be laid over the first', async () => {
    const [first = '', ...rest] = blocks('ADD_AN_EXPERIMENT.md', 'yaml');
    expect((await load(first)).jobs).toHaveLength(9);
    writeFileSync(join(folder, 'few.yaml'), first.replace(/^plugins.*\n/m, '').replace(/^claims:[^]*/m, ''));
    const whole = rest.filter((block) => block.startsWith('question'));
    const parts = rest.filter((block) => !block.startsWith('question'));
    const jobs = async (text: string) => (await load(text)).jobs.length / 3;
    expect(await Promise.all(whole.map((block) => load(block)))).toMatchObject([{ jobs: { length: 6 } }]);
    const counts = [];
    for (const part of parts) counts.push(await jobs(`extends: [few.yaml]\n${part}`));
    expect(counts).toEqual([4, 2, 2, 8, 18, 1]);
  });

  it('show an experiment in TypeScript', async () => {
    const [example = ''] = blocks('ADD_AN_EXPERIMENT.md', 'ts');
    writeFileSync(join(folder, 'rates.ts'), example);
    const { jobs, question } = await loadExperiment(join(folder, 'rates.ts'), { builtin });
    expect(jobs).toHaveLength(30);
    expect(question).toMatch(/\?$/);
  });

  it('show a plugin that works', async () => {
    const [example = ''] = blocks('ADD_A_PLUGIN.md', 'ts');
    const core = fileURLToPath(new URL('../../../core/src/plugin/index.ts', import.meta.url));
    writeFileSync(join(folder, 'halving.ts'), example.replace('@athanor/core/plugin', core).replace("'zod'", JSON.stringify(import.meta.resolve('zod'))));
    const plugin = await loadPlugin('./halving.ts', join(folder, 'example.yaml'));
    const halving = new Registry([plugin]).make('schedule', { name: 'halving', every: 10 }, { steps: 100 });
    expect([0, 9, 10, 25].map(halving)).toEqual([1, 1, 0.5, 0.25]);
  });
});
