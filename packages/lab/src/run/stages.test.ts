// A graph of stages: each is computed once for one key, taken over where it can be, and run again when it must, for a reason that is told.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry, component, definePlugin } from '@athanor/core/plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { codeVersions } from '../plugins/code.ts';
import { lockFolder } from './lock.ts';
import { describeStale, dropStages, staleStages } from './refresh.ts';
import { readEnvironments } from './results.ts';
import { runStudy } from './runner.ts';
import type { StageInput } from './stage.ts';
import { announceStage, claimStage, findStage } from './stage-cache.ts';
import { changesBetween, describeChange } from './stage-key.ts';
import { readReason, readStageRecord } from './stage-record.ts';
import { stageFiles, stageStandings } from './stage-state.ts';
import type { StageContext } from './stage-state.ts';
import { createStudy, stageFolder } from './study.ts';
import type { Study } from './study.ts';

let computed: string[] = [];

/** Leaves `add` more than the sum of its inputs; `rounded` hides small changes from those that need it. */
const sums = definePlugin({
  name: 'sums',
  components: [
    component({
      kind: 'stage',
      name: 'sum',
      summary: 'adds up',
      schema: z.strictObject({ add: z.number().default(0), reads: z.string().default('sum.json'), rounded: z.boolean().default(false) }),
      create: ({ add, reads, rounded }, { inputs, seed }) => {
        const total = inputs.reduce((sum, input) => sum + read(input, reads), add + seed);
        return Promise.resolve({
          steps: 1,
          checkpointEvery: 1,
          step: () => Promise.resolve({ metrics: [{ metric: 'sum', value: total }] }),
          state: () => Promise.resolve({ tensors: new Map(), values: null }),
          restore: () => Promise.resolve(),
          finish: () => {
            computed.push(`${add}`);
            const value = rounded ? Math.round(total) : total;
            return Promise.resolve({ summary: { sum: value }, artifacts: new Map([['sum.json', JSON.stringify(value)]]) });
          },
          dispose() {},
        });
      },
    }),
  ],
});

const read = (input: StageInput, name: string): number => Number(readFileSync(input.artifact(name), 'utf8'));

const file = `
stages:
  teacher: { name: sum, add: 10 }
  other: { name: sum, add: 7 }
  student: { name: sum, add: "\${add}", needs: [teacher] }
  last: { name: sum, add: 100, needs: [student, other] }
sweep: { grid: { add: [1, 2, 3] } }
`;

let folder = '';
let notes: string[] = [];
beforeEach(() => {
  // In memory where there is such a folder: every file is synced.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'athanor-'));
  computed = [];
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(text: string, { words = [], fresh = false, root = 'runs' }: { words?: string[]; fresh?: boolean; root?: string } = {}): Promise<Study> {
  writeFileSync(join(folder, 'sums.yaml'), text);
  const experiment = await loadExperiment(join(folder, 'sums.yaml'), { builtin: [...builtinPlugins, sums], words });
  const study = createStudy(experiment, join(folder, root), { fresh });
  await work(study);
  return study;
}

async function work(study: Study): Promise<void> {
  computed = [];
  notes = [];
  const observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note: (text: string) => void notes.push(text) };
  await runStudy(study, { registry: new Registry([...builtinPlugins, sums]), packages: {}, observer });
}

const context = (version: string): StageContext => ({
  registry: new Registry([...builtinPlugins, sums]),
  packages: {},
  dataDir: undefined,
  code: new Map([['sums', version === '' ? {} : { './sums.ts': version }]]),
});

const outcome = (study: Study, run: number, stage: number) => JSON.parse(readFileSync(join(stageFolder(only(study.runs, run), stage), 'sum.json'), 'utf8')) as number;

function only<T>(items: readonly T[], index = 0): T {
  const item = items[index];
  if (item === undefined) throw new Error('there is none');
  return item;
}

describe('named stages', () => {
  it('take what they need, and variants share what is the same', async () => {
    const study = await run(file);
    expect(computed).toEqual(['10', '7', '1', '100', '2', '100', '3', '100']);
    expect([0, 1, 2].map((variant) => outcome(study, variant, 3))).toEqual([118, 119, 120]);
    expect(readdirSync(only(study.runs, 1).folder).filter((name) => /^\d/.test(name))).toEqual(['0-teacher', '1-other', '2-student', '3-last']);
    const teacher = (variant: number) => stageFolder(only(study.runs, variant), 0);
    expect(statSync(join(teacher(1), 'metrics.arrow')).ino).toBe(statSync(join(teacher(0), 'metrics.arrow')).ino);
    expect(readReason(teacher(1))).toMatchObject({ what: 'reused', other: expect.stringMatching(/^sums-[0-9a-f]{8}\/add-1\.seed-0\/0-teacher$/) as string });
    expect(readEnvironments(only(study.runs, 1)).map(({ takenOver }) => takenOver?.stage)).toEqual(['teacher', 'other', undefined]);
    expect(notes.filter((note) => note.includes('taken from'))).toHaveLength(4);
  });

  it('run again only where a config has changed, and say why', async () => {
    await run(file);
    const changed = await run(file.replace('add: 7', 'add: 8'));
    expect(computed).toEqual(['8', '100', '100', '100']);
    expect(outcome(changed, 0, 3)).toBe(119);
    expect(readReason(stageFolder(only(changed.runs), 1))?.changes).toEqual(['add: 7 → 8']);
    expect(readReason(stageFolder(only(changed.runs), 3))?.changes).toEqual(['the outcome of other changed']);
    expect(readReason(stageFolder(only(changed.runs), 2))?.what).toBe('reused');
  });

  it('are computed again by --fresh, each once', async () => {
    await run(file);
    await run(file, { fresh: true });
    expect(computed).toEqual(['10', '7', '1', '100', '2', '100', '3', '100']);
  });

  it('run again when their code has changed; what needs them, only if they come out differently', async () => {
    const text = file.replace('add: 10', 'add: 10.2, rounded: true');
    const study = await run(text);
    const first = stageFolder(only(study.runs), 0);
    const recorded = JSON.stringify(readStageRecord(first));
    expect(staleStages(study, context(''))).toEqual([]);
    const stale = staleStages(study, context('2'));
    expect(stale).toHaveLength(12);
    expect(describeStale(stale.slice(0, 1))).toEqual(['teacher: it now uses ./sums.ts']);

    const teachers = stale.filter(({ name }) => name === 'teacher');
    dropStages(teachers);
    expect(readReason(first)?.changes).toEqual(['it now uses ./sums.ts']);
    await work(study);
    expect(computed).toEqual(['10.2']);
    expect(JSON.stringify(readStageRecord(first))).toBe(recorded);

    // The teacher comes out differently: so must its students and what follows, but not the other one.
    dropStages(teachers);
    writeFileSync(join(only(study.runs).folder, 'config.yaml'), readFileSync(join(only(study.runs).folder, 'config.yaml'), 'utf8').replace('10.2', '11.2'));
    rmSync(join(study.folder, '.stages'), { recursive: true });
    await work(createStudyAgain(study));
    expect(computed.slice(0, 3)).toEqual(['11.2', '1', '100']);
    expect(notes.find((note) => note.includes('student'))).toBe('add-1.seed-0: student runs again: the outcome of teacher changed');
  });

  it('take over only what is sound', async () => {
    const study = await run(file);
    const teacher = stageFolder(only(study.runs), 0);
    const key = readStageRecord(teacher)?.key ?? '';
    expect(findStage(key, study.folder, { fresh: false })).toBe(teacher);
    expect(findStage(key, join(folder, 'runs', 'another'), { fresh: false })).toBe(teacher);
    expect(findStage(key, join(folder, 'runs', 'another'), { fresh: true })).toBe(undefined);
    rmSync(join(teacher, 'sum.json'));
    writeFileSync(join(teacher, 'sum.json'), '11');
    expect(findStage(key, study.folder, { fresh: false })).toBe(undefined);
    announceStage(key, stageFolder(only(study.runs, 1), 0), study.folder);
    expect(findStage(key, study.folder, { fresh: false })).toBe(stageFolder(only(study.runs, 1), 0));
  });

  it('name the artifacts that are there when one is missing', async () => {
    await expect(run(file.replace('needs: [teacher]', 'needs: [teacher], reads: sum.jsn'))).rejects.toThrow('the stage teacher left no "sum.jsn" — did you mean "sum.json"? — it left sum.json');
  });

  it('wait for a process that computes the same', async () => {
    const entry = join(folder, '.stages', 'key');
    const release = await claimStage('key', folder, () => undefined);
    let waits = 0;
    const second = claimStage('key', folder, () => void waits++);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(waits).toBe(1);
    release();
    (await second)();
    expect(existsSync(join(entry, 'lock'))).toBe(false);
    lockFolder(entry);
    writeFileSync(join(entry, 'lock'), JSON.stringify({ ...(JSON.parse(readFileSync(join(entry, 'lock'), 'utf8')) as object), host: 'elsewhere' }));
    await claimStage('key', folder, () => void waits++);
    expect(waits).toBe(1);
  });
});

/** The study as another process would open it. */
function createStudyAgain({ folder: path, record, runs }: Study): Study {
  return { folder: path, record, runs: runs.map((one) => ({ ...one, config: { ...one.config, stages: one.config.stages.map((ref, index) => (index === 0 && one === runs[0] ? { ...(ref as object), name: 'sum', add: 11.2 } : ref)) } })) };
}

describe('stageStandings', () => {
  it('tells what is done, can be taken over, and has to run', async () => {
    const study = await run(file, { words: ['add=1'] });
    const states = (one: Study, version = '') => stageStandings(only(one.runs), context(version), { numerics: null }).map(({ state }) => state);
    expect(states(study)).toEqual(['done', 'done', 'done', 'done']);
    expect(states(study, '2')).toEqual(['stale', 'stale', 'stale', 'stale']);
    const experiment = await loadExperiment(join(folder, 'sums.yaml'), { builtin: [...builtinPlugins, sums], words: ['add=5'] });
    const other = createStudy(experiment, join(folder, 'runs'));
    expect(states(other)).toEqual(['reusable', 'reusable', 'waiting', 'waiting']);
  });
});

describe('changes', () => {
  it('are told in words', () => {
    const before = { config: { name: 'train', lr: 0.1, model: { name: 'a', width: 1 } }, seed: 0, numerics: 'x', code: { p: '1 aa', q: '1' }, files: { 'x.csv': 'a' }, inputs: { teacher: 'h' } };
    const after = { config: { name: 'train', lr: 0.2, model: { name: 'b', depth: 2 }, steps: 3 }, seed: 1, numerics: null, code: { p: '2 bb' }, files: { 'x.csv': 'b' }, inputs: { teacher: 'i' } };
    expect(changesBetween(before, before)).toEqual([]);
    expect(changesBetween(before, after).map(describeChange)).toMatchInlineSnapshot(`
      [
        "lr: 0.1 → 0.2",
        "model: {"name":"a","width":1} → {"name":"b","depth":2}",
        "steps: nothing → 3",
        "seed: 0 → 1",
        "numerics: x → null",
        "the code of p changed (1 aa → 2 bb)",
        "it no longer uses q",
        "x.csv changed",
        "the outcome of teacher changed",
      ]
    `);
  });
});

describe('codeVersions', () => {
  it('change with the files that are run, and with nothing else', () => {
    const version = (name: string, part: string, unused: string) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'plugin.ts'), 'import { a } from "./part.ts";\nimport z from "zod";\nexport default a;\n');
      writeFileSync(join(folder, name, 'part.ts'), part);
      writeFileSync(join(folder, name, 'unused.ts'), unused);
      return codeVersions('./plugin.ts', join(folder, name, 'x.yaml'));
    };
    const first = version('one', 'export const a = 1;', '1');
    expect(first).toEqual({ './plugin.ts': expect.stringMatching(/^[0-9a-f]{12}$/) as string });
    expect(version('two', 'export const a = 1;', '2')).toEqual(first);
    expect(version('three', 'export const a = 2;', '1')).not.toEqual(first);
  });

  it('of a package have its number and its plugins', () => {
    const versions = codeVersions('@athanor/zoo', import.meta.filename);
    expect(Object.keys(versions).toSorted()).toEqual(['@athanor/norm', '@athanor/zoo']);
    expect(versions['@athanor/zoo']).toMatch(/^0\.1\.0 [0-9a-f]{12}$/);
  });
});

describe('files that a stage reads', () => {
  it('belong to its key: those that its components name, by their content', () => {
    const rows = (more: string) => writeFileSync(join(folder, 'points.csv'), `x,label\n1,a\n2,b\n${more}`);
    const table = { name: 'train', data: { name: 'table', file: 'points.csv', label: 'label' }, model: 'tiny' };
    const here = { ...context(''), dataDir: folder };
    rows('');
    const before = stageFiles(table, here);
    expect(before).toEqual({ 'points.csv': expect.stringMatching(/^[0-9a-f]{12}$/) as string });
    rows('3,a\n');
    expect(stageFiles(table, here)).not.toEqual(before);
    mkdirSync(join(folder, 'pictures', 'a'), { recursive: true });
    const pictures = { ...table, data: { name: 'image-folder', folder: 'pictures' } };
    const empty = stageFiles(pictures, here);
    writeFileSync(join(folder, 'pictures', 'a', '1.png'), 'x');
    expect(stageFiles(pictures, here)).not.toEqual(empty);
    expect(stageFiles({ ...table, data: { ...table.data, file: 'absent.csv' } }, here)).toEqual({ 'absent.csv': 'missing' });
  });
});
