// What a study tells of jobs that failed while others did not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Run } from '../run/study.ts';
import { RunsFailed, failuresAsError } from './failures.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (name: string): Run => ({ name, values: {}, folder: join(folder, name), config: { seed: 0, stages: ['walk'] } });

describe('failuresAsError', () => {
  it('tells each with the end of its log', () => {
    const log = join(folder, 'job.log');
    writeFileSync(log, Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join(''));
    const error = failuresAsError(
      [
        { run: run('a'), failure: { message: 'a fault', user: false, log } },
        { run: run('b'), failure: { message: 'a mistake — mend it', user: true, log } },
        { run: run('c'), failure: { message: 'said nothing', user: false } },
      ],
      24,
    );
    expect(error?.message.replaceAll(/log: .*job\.log/g, 'log: job.log')).toMatchInlineSnapshot(`
      "3 of 24 runs failed:
        a: a fault
          | line 4
          | line 5
          | line 6
          | line 7
          | line 8
          | line 9
          | line 10
          | line 11
          | line 12
          | line 13
          | line 14
          | line 15
          | line 16
          | line 17
          | line 18
          | line 19
          log: job.log
        b: a mistake — mend it
          log: job.log
        c: said nothing"
    `);
    expect(error).toMatchObject({ exitCode: 1 });
  });

  it('ends with 2 if all are the user’s mistakes', () => {
    expect(failuresAsError([{ run: run('a'), failure: { message: 'a mistake', user: true } }], 2)).toMatchObject({ exitCode: 2 });
  });

  it('is the error of the only job, or nothing', () => {
    const cause = new TypeError('wrong');
    expect(failuresAsError([{ run: run('a'), failure: { message: 'wrong', user: false, cause } }], 1)).toBe(cause);
    expect(failuresAsError([{ run: run('a'), failure: { message: 'wrong', user: false, cause } }], 2)).toBeInstanceOf(RunsFailed);
    expect(failuresAsError([], 2)).toBeUndefined();
  });
});
