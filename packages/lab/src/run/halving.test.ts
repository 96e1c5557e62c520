// Successive halving: who goes on, how far each run gets, that it is the same after kills, and what is told.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '@athanor/core/plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadExperiment } from '../config/load.ts';
import { identity } from '../testing/identity.ts';
import toy from '../testing/toy.ts';
import { watchFileOperations } from './files.ts';
import { readMetrics } from './metrics.ts';
import { rungStep } from './rung.ts';
import { runStudy } from './runner.ts';
import { createStudy, runStatus } from './study.ts';
import type { Study } from './study.ts';

let folder = '';
let notes: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'athanor-'));
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The walk's distance, logged at odd steps, is proportional to its scale. */
const walks = (halving: string) => `seeds: [0, 1]
stages: [{ name: walk, steps: 17, checkpointEvery: 5, scale: "\${scale}" }]
sweep: { list: [{ scale: 3 }, { scale: 1 }, { scale: 2 }, { scale: 5 }, { scale: 4 }], halving: ${halving} }
`;

async function study(text: string, root = 'runs'): Promise<Study> {
  writeFileSync(join(folder, 'walks.yaml'), text);
  return createStudy(await loadExperiment(join(folder, 'walks.yaml'), { builtin: [toy] }), join(folder, root));
}

function work(one: Study): Promise<void> {
  const observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note: (text: string) => void notes.push(text) };
  return runStudy(one, { registry: new Registry([toy]), packages: {}, observer });
}

const lastSteps = ({ runs }: Study) => runs.map((run) => readMetrics(join(run.folder, '0-walk', 'metrics.arrow')).at(-1)?.step);

describe('successive halving', () => {
  it('lets the best go on at each rung', async () => {
    const one = await study(walks('{ metric: train.loss, factor: 2, rungs: 2 }'));
    await work(one);
    expect(lastSteps(one)).toEqual([9, 9, 5, 5, 5, 5, 17, 17, 17, 17]);
    expect(one.runs.map(runStatus)).toEqual([...Array.from({ length: 6 }, () => 'stopped'), ...Array.from({ length: 4 }, () => 'done')]);
    expect(notes.map((note) => note.replaceAll(/\(\d[^)]*\)/g, '(VALUE)'))).toMatchInlineSnapshot(`
      [
        "train.loss at rung 1 of 2: scale=5 (VALUE), scale=4 (VALUE), scale=3 (VALUE) go on; scale=2 (VALUE), scale=1 (VALUE) stop",
        "train.loss at rung 2 of 2: scale=5 (VALUE), scale=4 (VALUE) go on; scale=3 (VALUE) stops",
      ]
    `);
    const before = identity(one.folder);
    await work(one);
    expect(identity(one.folder)).toEqual(before);
  });

  it('comes to the same after kills', async () => {
    const text = walks('{ metric: train.loss, mode: min, factor: 3, rungs: 1 }');
    const whole = await study(text, 'whole');
    await work(whole);
    expect(whole.runs.filter((run) => runStatus(run) === 'done').map(({ values }) => values['scale'])).toEqual([1, 1, 2, 2]);
    const killed = await study(text, 'killed');
    let kills = 0;
    for (let at = 20; at < 400; at += 61) {
      let operations = 0;
      const release = watchFileOperations(() => {
        if (++operations >= at) throw new Error('killed');
      });
      await work(killed).catch(() => kills++);
      release();
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('lock'))) rmSync(join(folder, name));
    }
    await work(killed);
    expect(kills).toBeGreaterThan(3);
    expect(identity(killed.folder)).toEqual(identity(whole.folder));
  });

  it('says when there is nothing to choose by', async () => {
    const one = await study(walks('{ metric: test.accuracy }'));
    await expect(work(one)).rejects.toThrow('halving: scale-3.seed-0 has no test.accuracy by step 6 of 17, where rung 1 is — it has train.loss, test.place: measure it more often (evaluateEvery), or take fewer rungs');
    const halving = readFileSync(join(one.runs[0]?.folder ?? '', 'config.yaml'), 'utf8');
    expect(halving).toContain('halving:\n  metric: test.accuracy\n  mode: max\n  factor: 3\n  rungs: 1\n');
  });

  it('places rungs at powers of the factor', () => {
    const halving = { metric: 'm', mode: 'max', factor: 3, rungs: 3 } as const;
    expect([0, 1, 2].map((rung) => rungStep(270, rung, halving))).toEqual([10, 30, 90]);
    expect(rungStep(5, 0, halving)).toBe(1);
  });
});
