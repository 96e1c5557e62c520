// Which executor words choose, and what is said of words that do not fit.
import { UserError } from '@athanor/core';
import { describe, expect, it } from 'vitest';
import { chooseExecutor } from './choose.ts';
import type { ExecutorWords } from './choose.ts';
import { slurm } from './slurm.ts';

const choose = (words: ExecutorWords, { jobs = 4, ownsProcess = true } = {}) =>
  chooseExecutor(words, { host: { packages: {}, ownsProcess }, runs: '/runs', study: '/runs/study', jobs });
const mistake = async (words: ExecutorWords) => {
  const error: unknown = await choose(words).catch((thrown: unknown) => thrown);
  return error instanceof UserError ? error.message : error;
};

describe('chooseExecutor', () => {
  it('takes processes for several jobs of a program that owns its process', async () => {
    const names = await Promise.all([
      choose({ workers: 2 }),
      choose({ workers: 2 }, { jobs: 1 }),
      choose({ workers: 1 }),
      choose({}, { ownsProcess: false }),
      choose({ workers: 2 }, { ownsProcess: false }),
      choose({ executor: 'bullmq', queue: 'redis://10.0.0.1:6379' }),
      choose({ executor: 'slurm', workers: 8, sbatch: ['--partition=long'] }),
    ]);
    expect(names.map(({ name }) => name)).toEqual(['pool', 'inline', 'inline', 'inline', 'pool', 'bullmq', 'slurm']);
  });

  it('says which words do not fit', async () => {
    const words: ExecutorWords[] = [
      { executor: 'slrum' },
      { executor: 'inline', workers: 2 },
      { executor: 'bullmq', workers: 2 },
      { queue: 'redis://10.0.0.1' },
      { executor: 'pool', sbatch: ['--partition=long'] },
      { workers: 1.5 },
      { threads: 0 },
      { memory: Number.NaN },
    ];
    expect(await Promise.all(words.map(mistake))).toMatchInlineSnapshot(`
      [
        "there is no executor "slrum" — did you mean "slurm"? — there are inline, pool, bullmq, slurm",
        "--workers means nothing to --executor=inline — it runs one job after the other: take --executor=pool",
        "--workers means nothing to --executor=bullmq — athanor worker --workers says how many a machine runs at once",
        "--queue is for --executor=bullmq, not for pool",
        "--sbatch is for --executor=slurm, not for pool",
        "--workers is a whole number from 1, got 1.5",
        "--threads is a whole number from 1, got 0",
        "--memory is a number of GiB above 0, got NaN",
      ]
    `);
  });

  it('says where Slurm is missing', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      expect(() => slurm('sbatch', [])).toThrowErrorMatchingInlineSnapshot(`[UserError: sbatch cannot be started: this machine does not belong to a Slurm cluster — go to a machine that submits to one (Debian: apt-get install slurm-client), or take --executor=pool]`);
    } finally {
      process.env['PATH'] = path;
    }
  });
});
