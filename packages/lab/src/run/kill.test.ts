// A kill before every single file operation, and in the middle of every write: what comes out after
// going on is the unbroken run, bit for bit.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '@athanor/core/plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from '../config/load.ts';
import { identity } from '../testing/identity.ts';
import toy from '../testing/toy.ts';
import { watchFileOperations } from './files.ts';
import type { FileOperation } from './files.ts';
import { runStudy } from './runner.ts';
import type { Observer } from './observer.ts';
import { createStudy, runStatus } from './study.ts';

let folder = '';
let experiment: Experiment;
const registry = new Registry([toy]);
const quiet: Observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} };

beforeAll(() => {
  // In memory where there is such a folder: the test syncs some ten thousand times.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'athanor-'));
  const file = join(folder, 'walks.yaml');
  writeFileSync(file, 'stages: [walk]\n');
  const stages = [
    { name: 'walk', steps: 5, checkpointEvery: 2 },
    { name: 'walk', steps: 1 },
  ];
  const jobs = [3].map((seed) => ({ name: `seed-${seed}`, values: {}, config: { seed, stages } }));
  experiment = { name: 'walks', file, words: [], question: undefined, plugins: [], jobs, claims: [], registry };
});
afterAll(() => rmSync(folder, { recursive: true }));

class Killed extends Error {}

/** Runs the study in `root`; before operation `at` the disk stops changing, as if the process were dead. */
async function runUntil(root: string, at: number, halfWrite: boolean): Promise<FileOperation[]> {
  const operations: FileOperation[] = [];
  const release = watchFileOperations((operation) => {
    operations.push(operation);
    if (operations.length === at && halfWrite && operation.bytes !== undefined) {
      appendFileSync(operation.path, operation.bytes.subarray(0, operation.bytes.length >> 1));
    }
    if (operations.length >= at) throw new Killed();
  });
  try {
    await runStudy(createStudy(experiment, root), { registry, packages: {}, observer: quiet });
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  } finally {
    release();
  }
  return operations;
}

/** The locks name this process, which lives on: make them those of one that does not. */
function forgetLocks(root: string): void {
  for (const name of existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : []) {
    if (!name.endsWith('lock') || name.includes('.unfinished-')) continue;
    const path = join(root, name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"began":"\d+"/, '"began":"1"'));
  }
}

describe('a killed run', () => {
  it('goes on to the same bits from a kill at any file operation', async () => {
    const whole = join(folder, 'whole');
    const operations = await runUntil(whole, Infinity, false);
    const expected = identity(whole);
    expect(Object.keys(expected).filter((file) => file.endsWith('.arrow') || file.endsWith('.bin'))).toHaveLength(4);
    expect(Object.keys(expected).filter((file) => /unfinished|lock|checkpoints/.test(file))).toEqual([]);
    expect(operations.length).toBeGreaterThan(80);

    for (let at = 1; at <= operations.length; at++) {
      for (const halfWrite of operations[at - 1]?.kind === 'write' ? [false, true] : [false]) {
        const root = join(folder, 'killed');
        await runUntil(root, at, halfWrite);
        forgetLocks(root);
        const study = createStudy(experiment, root);
        await runStudy(study, { registry, packages: {}, observer: quiet });
        expect(identity(root), `killed before ${JSON.stringify(operations[at - 1])}`).toEqual(expected);
        expect(study.runs.map(runStatus)).toEqual(['done']);
        rmSync(root, { recursive: true });
      }
    }
  }, 180_000);

  it('goes on to the same bits where runs share a stage', async () => {
    const alone = experiment;
    const graph = [{ id: 'teacher', needs: [] }, { id: 'student', needs: ['teacher'] }];
    const jobs = [1, 2].map((scale) => ({
      name: `scale-${scale}`,
      values: { scale },
      config: { seed: 3, stages: [{ name: 'walk', steps: 3, checkpointEvery: 2 }, { name: 'walk', steps: 2, scale }], graph },
    }));
    experiment = { ...alone, name: 'shared', jobs };
    const whole = join(folder, 'shared');
    const operations = await runUntil(whole, Infinity, false);
    const expected = identity(whole);
    expect(operations.filter(({ kind, path }) => kind === 'link' && !path.endsWith('lock'))).not.toEqual([]);
    for (let at = 1; at <= operations.length; at += 9) {
      const root = join(folder, 'interrupted');
      await runUntil(root, at, at % 2 === 0);
      forgetLocks(root);
      await runStudy(createStudy(experiment, root), { registry, packages: {}, observer: quiet });
      expect(identity(root), `killed before ${JSON.stringify(operations[at - 1])}`).toEqual(expected);
      rmSync(root, { recursive: true });
    }
    experiment = alone;
  }, 180_000);

  it('goes on to the same bits from many kills', async () => {
    const expected = identity(join(folder, 'whole'));
    const root = join(folder, 'often');
    for (let round = 0; round < 60; round++) {
      await runUntil(root, 5 + ((round * 7) % 40), round % 2 === 0);
      forgetLocks(root);
    }
    await runStudy(createStudy(experiment, root), { registry, packages: {}, observer: quiet });
    expect(identity(root)).toEqual(expected);
  });
});
