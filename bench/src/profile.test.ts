// Profiles of steps in miniature: every compiled one has a table, slowest kernels first.
import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import type { Case } from './problem.ts';
import { profileKernels } from './profile.ts';
import { smallProblems } from './testing/problems.ts';

const problems = smallProblems.filter(({ kind }) => ['layer-norm', 'mlp', 'tiny-op'].includes(kind));
const small: readonly Case[] = problems.map((problem, i) => ({ workload: 'W0', name: `${problem.kind}-${i}`, problem, unit: 'ms', work: 1 }));

describe('profileKernels', () => {
  it('tells the kernels of what is compiled', async () => {
    const options = parseOptions(['--backend', 'wasm', '--profile', '2']);
    if (options === undefined) throw new Error('help');
    const told: string[] = [];
    await profileKernels(options, { gigaflops: 50, gigabytes: 30 }, 2, (text) => told.push(text), small);
    const titles = told.filter((_, i) => i % 2 === 0);
    expect(titles.map((text) => text.split(' ')[1])).toEqual(small.map(({ name }) => name).filter((name) => !name.startsWith('tiny-op')));
    expect(titles.join()).toMatch(/ 1 threads: [1-9]\d* commands of [1-9]\d* distinct kernels/);
    for (const text of told.filter((_, i) => i % 2 === 1)) {
      const rows = text.split('\n').filter((line) => /^ *[\d.]+ /.test(line));
      expect(rows).toHaveLength(2);
      const milliseconds = rows.map((line) => Number(line.trim().split(/ +/)[0]));
      expect(milliseconds).toEqual(milliseconds.toSorted((x, y) => y - x));
    }
  }, 60_000);
});
