// Exports hold what the run folder holds, as other readers see it.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Registry } from '@athanor/core/plugin';
import { readSafetensors, readTable, writeSafetensors } from '@athanor/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimSchema } from '../claims/schema.ts';
import { main } from '../commands/main.ts';
import { readMetrics } from '../run/metrics.ts';
import { runStudy } from '../run/runner.ts';
import { createStudy } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import toy from '../testing/toy.ts';
import { writeArrow, writeCsv, writeParquet } from './formats.ts';
import { metricsTable, resultsTable } from './table.ts';
import type { ExportTable } from './table.ts';

const weights = writeSafetensors(new Map([
  ['layer.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['layer.bias', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }],
]));
let folder = '';
let study: Study;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  const file = join(folder, 'walks.yaml');
  writeFileSync(file, 'stages: [walk]\n');
  const registry = new Registry([toy]);
  const jobs = ['small', 'a|b, "c"'].flatMap((size) =>
    [0, 1].map((seed) => ({
      name: `size-${size.length}.seed-${seed}`,
      values: { size, step: 2 },
      config: { seed, stages: [{ name: 'walk', steps: 20, scale: size.length }] },
    })),
  );
  const claims = [claimSchema.parse({ says: 'it is exact', expect: { metric: 'test.samples', of: { size: 'small' }, atLeast: 1000, exact: true } })];
  study = createStudy({ name: 'walks', file, words: [], question: 'Why?', plugins: [], jobs, claims, registry }, join(folder, 'runs'));
  const quiet = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} };
  await runStudy(study, { registry, packages: { toy: '1.2.3' }, observer: quiet });
  for (const run of study.runs) writeFileSync(join(run.folder, '0-walk', 'model.safetensors'), weights);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function athanor(...words: string[]) {
  const said = { out: '', error: '' };
  const code = await main([...words, '--runs', join(folder, 'runs')], {
    out: (text) => (said.out += `${text}\n`),
    error: (text) => (said.error += `${text}\n`),
    progress: { write: () => true },
  });
  return { code, ...said };
}

function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
}

describe('tables', () => {
  it('have a row for every logged value', () => {
    const table = metricsTable(study.runs);
    const logged = study.runs.flatMap((run) => readMetrics(join(run.folder, '0-walk', 'metrics.arrow')));
    expect(table.columns.map(({ name, type }) => `${name}: ${type}`)).toEqual(['run: text', 'size: text', 'values.step: number', 'seed: integer', 'stage: text', 'step: integer', 'metric: text', 'value: number']);
    expect(table.length).toBe(logged.length);
    expect(table.columns.at(-1)?.cells).toEqual(logged.map(({ value }) => value));
  });

  it('have every final number', () => {
    const table = resultsTable(study.runs);
    const rows = Array.from({ length: table.length }, (_, row) => table.columns.map(({ cells }) => cells[row]));
    expect(rows[1]).toEqual(['size-5.seed-0', 'small', 2, 0, 'walk', 'test.samples', 1000]);
    expect(rows).toHaveLength(4 * 2);
  });

  it('are read back alike from Parquet, CSV and Arrow', async () => {
    const table = metricsTable(study.runs);
    const written = { parquet: writeParquet(table), csv: writeCsv(table), arrow: writeArrow(table) };
    for (const [ending, content] of Object.entries(written)) {
      const path = join(folder, `table.${ending}`);
      writeFileSync(path, content);
      const { columns } = await readTable(path);
      const read = table.columns.map(({ name, type }) => (columns.get(name) ?? []).map((cell) => (type === 'text' ? cell : Number(cell))));
      expect(read).toEqual(table.columns.map(({ cells }) => cells));
    }
  });

  it('keep what is absent or no finite number', async () => {
    const table: ExportTable = {
      length: 3,
      columns: [
        { name: 'text', type: 'text', cells: ['a\n"b"', null, ''] },
        { name: 'number', type: 'number', cells: [NaN, -Infinity, null] },
      ],
    };
    expect(writeCsv(table)).toBe('text,number\n"a\n""b""",NaN\n,-Infinity\n,\n');
    for (const [ending, content] of [['arrow', writeArrow(table)], ['parquet', writeParquet(table)]] as const) {
      const path = join(folder, `odd.${ending}`);
      writeFileSync(path, content);
      const { columns } = await readTable(path);
      expect([ending, columns.get('text'), columns.get('number')]).toEqual([ending, ['a\n"b"', null, ''], [NaN, -Infinity, null]]);
    }
  });
});

describe('athanor export', () => {
  it('writes all formats beside the run, and says which files', async () => {
    const { code, out, error } = await athanor('export', 'walks');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    const files = filesIn(join(study.folder, 'export'));
    expect(out.trim().split('\n')).toHaveLength(files.length);
    expect(files.map((file) => file.replace(/\.\d{10}\./, '.SECONDS.')).filter((file) => !/size-8|seed-1/.test(file))).toEqual([
      'metrics.arrow',
      'metrics.csv',
      'metrics.parquet',
      join('models', 'size-5.seed-0', 'README.md'),
      join('models', 'size-5.seed-0', 'config.yaml'),
      join('models', 'size-5.seed-0', 'model.safetensors'),
      'results.arrow',
      'results.csv',
      'results.parquet',
      join('tensorboard', 'size-5.seed-0', 'events.out.tfevents.SECONDS.athanor'),
    ]);
  });

  it('writes one run where it is told, in the formats that it is told', async () => {
    const to = join(folder, 'out');
    await athanor('export', study.runs[1]?.folder ?? '', '--to', to, '--format', 'safetensors', 'csv');
    expect(filesIn(to)).toEqual(['metrics.csv', 'results.csv', join('weights', 'size-5.seed-1', 'model.safetensors')]);
    const { tensors, metadata } = readSafetensors(readFileSync(join(to, 'weights', 'size-5.seed-1', 'model.safetensors')));
    expect(tensors.get('layer.weight')?.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(Object.fromEntries(metadata)).toEqual({ experiment: 'walks', run: 'size-5.seed-1', seed: '1' });
  });

  it('puts what is known on the card', async () => {
    const to = join(folder, 'cards');
    await athanor('export', 'walks', '--to', to, '--format', 'model');
    const card = readFileSync(join(to, 'models', 'size-8.seed-0', 'README.md'), 'utf8');
    for (const known of ['# walks: size-8.seed-0', 'Why?', '8 values', '| layer.weight | float32 | [2, 3] |', 'scale: 8', '| walk | test.samples | 1000 |', '| holds | it is exact |', 'toy 1.2.3']) expect(card).toContain(known);
    expect(card).not.toContain('undefined');
  });

  it('answers mistakes with what to do', async () => {
    const mistakes = [['export', 'wolks'], ['export', 'walks', '--format', 'parket'], ['export', 'walks', '--to', join(folder, 'walks.yaml')], ['export']];
    const answers = [];
    for (const words of mistakes) answers.push(await athanor(...words));
    expect(answers.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    const text = answers.map(({ error }) => error.trim().replaceAll(folder, 'FOLDER').replaceAll(/[0-9a-f]{8}/g, 'HASH').replace(/under .*runs/, 'under runs')).join('\n');
    expect(text).toMatchInlineSnapshot(`
      "there is no run "wolks" under runs — did you mean "walks"? — athanor ls shows all
      there is no export format "parket" — did you mean "parquet"? — formats: parquet, csv, arrow, tensorboard, safetensors, model
      FOLDER/walks.yaml is a file — name a folder with --to
      a word is missing: athanor <command> --help shows which"
    `);
  });

  it('says when there is nothing yet', async () => {
    const left = createStudy({ name: 'later', file: join(folder, 'walks.yaml'), words: [], question: undefined, plugins: [], jobs: [{ name: 'seed-9', values: {}, config: { seed: 9, stages: [{ name: 'walk' }] } }], claims: [], registry: new Registry([toy]) }, join(folder, 'runs'));
    const answers = [await athanor('export', left.folder), await athanor('export', left.folder, '--format', 'model'), await athanor('export', left.folder, '--format', 'csv')];
    expect(answers.map(({ code, error }) => `${code} ${error.trim()}`)).toMatchInlineSnapshot(`
      [
        "2 later has nothing to export yet — athanor resume goes on with it",
        "2 model: later has left no model yet — run it first, or leave this format out",
        "2 csv: later has logged nothing yet — run it first, or leave this format out",
      ]
    `);
    expect(existsSync(join(left.folder, 'export'))).toBe(false);
  });
});
