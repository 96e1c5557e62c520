// Going on with a run where it was begun, and where it was not.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { referenceBackend } from '@athanor/core/backend';
import { Registry, component, definePlugin } from '@athanor/core/plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import toy from '../testing/toy.ts';
import { lockFolder } from './lock.ts';
import { runStudy } from './runner.ts';
import type { Observer } from './observer.ts';
import { createStudy, findStudy, identityOf, listStudies, runStatus } from './study.ts';
import type { Study } from './study.ts';

const backends = definePlugin({
  name: 'backends',
  components: [
    component({ kind: 'backend', name: 'plain', summary: 'for this test', schema: z.strictObject({}), create: () => referenceBackend() }),
  ],
});
const registry = new Registry([toy, backends]);
let folder = '';
let study: Study;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  const file = join(folder, 'walk.yaml');
  writeFileSync(file, 'stages: [walk]\n');
  const jobs = [{ name: 'seed-0', values: {}, config: { seed: 0, backend: 'plain', stages: [{ name: 'walk', steps: 6 }] } }];
  study = createStudy({ name: 'walk', file, words: [], question: undefined, plugins: [], jobs, claims: [], registry }, join(folder, 'runs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const job = () => join(study.folder, 'seed-0');

/** Runs the study; `stopAt` ends it by an exception after that step. Returns what was noted. */
async function work({ stopAt = Infinity, packages = {} }: { stopAt?: number; packages?: Record<string, string> } = {}): Promise<string[]> {
  const notes: string[] = [];
  const observer: Observer = {
    runStarted() {},
    stageStarted() {},
    stepDone(_run, step) {
      if (step >= stopAt) throw new Error('stopped');
    },
    runDone() {},
    note: (message) => notes.push(message),
  };
  await runStudy(study, { registry, packages, observer }).catch((error: unknown) => {
    if (!(error instanceof Error && error.message === 'stopped')) throw error;
  });
  return notes;
}

describe('runStudy', () => {
  it('refuses to go on under other numerics', async () => {
    await work({ stopAt: 4 });
    expect(runStatus(study.runs[0] as Study['runs'][0])).toBe('interrupted');
    const path = join(job(), 'environment.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('reference-float64', 'reference-float32'));
    const failure = await work().catch((error: unknown) => (error instanceof Error ? error.message.replace(job(), 'runs/walk/seed-0') : ''));
    expect(failure).toMatchInlineSnapshot(`"runs/walk/seed-0 was begun with numerics reference-float32, this process has reference-float64 — the results would not be those of an unbroken run: go on where it was begun, or start anew with --fresh"`);
  });

  it('tells that the code is another one', async () => {
    await work({ stopAt: 4 });
    expect((await work({ packages: { '@athanor/norm': '9.9.9' } })).map((note) => note.replace(/ \(commit \w+\)/, ''))).toMatchInlineSnapshot(`
      [
        "seed-0 was begun with other code: if the change touches what it computes, the outcome is not that of an unbroken run",
      ]
    `);
    expect(runStatus(study.runs[0] as Study['runs'][0])).toBe('done');
  });

  it('falls back on the checkpoint before a spoilt one', async () => {
    await work({ stopAt: 5 });
    const newest = join(job(), '0-walk', 'checkpoints', 'step-000000003', 'tensors.safetensors');
    writeFileSync(newest, readFileSync(newest).fill(1, 100, 110));
    expect(await work()).toEqual(['checkpoint step-000000003 cannot be read and is left out']);
    expect(runStatus(study.runs[0] as Study['runs'][0])).toBe('done');
  });

  it('refuses a folder that is being worked on', async () => {
    const unlock = lockFolder(study.folder);
    await expect(work()).rejects.toThrow('is in use by process');
    unlock();
    expect(await work()).toEqual([]);
  });
});

describe('studies', () => {
  it('are the same for the same config, in whatever order its keys stand', () => {
    const one = { config: { seed: 0, stages: [{ name: 'walk', steps: 6, scale: 2 }] } };
    const two = { config: { stages: [{ scale: 2, steps: 6, name: 'walk' }], seed: 0 } };
    expect(identityOf([one])).toBe(identityOf([two]));
    expect(identityOf([one])).not.toBe(identityOf([one, one]));
  });

  it('are found by folder, by name, and by the start of the name', () => {
    const root = join(folder, 'runs');
    const [name = ''] = listStudies(root).map(({ folder: path }) => path.slice(root.length + 1));
    for (const given of [study.folder, job(), name, 'walk-', name.slice(0, 7)]) expect(findStudy(given, root).folder).toBe(study.folder);
    expect(() => findStudy(name.replace('walk', 'wakl'), root)).toThrow(`did you mean "${name}"`);
  });
});
