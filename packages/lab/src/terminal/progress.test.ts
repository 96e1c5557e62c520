// What a person sees while a study runs, in a terminal and in a log file.
import { describe, expect, it } from 'vitest';
import type { Run } from '../run/study.ts';
import { formatDuration, formatNumber, formatTable } from './format.ts';
import { Progress } from './progress.ts';

const run: Run = { name: 'a', values: { norm: 'batch' }, folder: 'a', config: { seed: 3, stages: ['train'] } };

function show(isTTY: boolean, columns = 120): string[] {
  const written: string[] = [];
  let now = 0;
  const progress = new Progress({ isTTY, columns, write: (text) => written.push(text) }, { clock: () => now });
  progress.runStarted(run, { index: 1, of: 3, waiting: 1 });
  progress.stageStarted(run, 'train', { from: 2, steps: 12 });
  for (let step = 3; step <= 12; step++) {
    now += step === 3 ? 4000 : 1000;
    progress.stepDone(run, step, { samples: 64, show: { loss: 1 / step } });
    if (step === 6) progress.note('something happened');
  }
  progress.runDone(run, { failed: false });
  return written;
}

describe('Progress', () => {
  it('redraws one line in a terminal and keeps notes above it', () => {
    const written = show(true);
    expect(written.filter((text) => text.includes('\n'))).toEqual([
      '[2/3] norm=batch seed=3: going on at step 2 of 12\n',
      'something happened\n',
      '\n',
    ]);
    expect(written.at(-2)).toBe(
      '\r\u001b[2K[2/3] norm=batch seed=3 train  ████████████████████  12/12  64 samples/s  loss 0.08333  in 0:13',
    );
  });

  it('never breaks the line', () => {
    for (const text of show(true, 40)) expect(text.replace('\r\u001b[2K', '').length).toBeLessThanOrEqual(text.startsWith('\r') ? 40 : 60);
  });

  it('writes a plain line every few seconds elsewhere', () => {
    expect(show(false).join('')).toMatchInlineSnapshot(`
      "[2/3] norm=batch seed=3: going on at step 2 of 12
      [2/3] norm=batch seed=3 train: 12 steps
      [2/3] norm=batch seed=3 train  3/12  loss 0.3333
      something happened
      [2/3] norm=batch seed=3 train  8/12  64 samples/s  loss 0.125  0:16 left
      [2/3] norm=batch seed=3 train  12/12  64 samples/s  loss 0.08333  in 0:13
      "
    `);
  });
});

describe('Progress of several runs', () => {
  const runs = [0, 1].map((seed): Run => ({ name: `seed-${seed}`, values: {}, folder: `seed-${seed}`, config: { seed, stages: ['train'] } }));

  function showBoth(stream: { isTTY: boolean; rows?: number }): string[] {
    const written: string[] = [];
    let now = 0;
    const progress = new Progress({ ...stream, columns: 100, write: (text) => written.push(text) }, { clock: () => now });
    for (const [index, run] of runs.entries()) {
      progress.runStarted(run, { index, of: 4, waiting: 3 - index });
      progress.stageStarted(run, 'train', { from: 0, steps: 4 });
    }
    for (let step = 1; step <= 4; step++) {
      now += 1000;
      for (const run of step <= 2 ? runs : runs.slice(1)) progress.stepDone(run, step, { samples: 64, show: { loss: 1 / step } });
      if (step === 2) progress.runDone(runs[0] as Run, { failed: true });
    }
    progress.runDone(runs[1] as Run, { failed: false });
    return written;
  }

  it('draws a line for each and one for all, in place of those before', () => {
    const written = showBoth({ isTTY: true });
    const drawn = written.map((text) => text.split('\n').length);
    expect(Math.max(...drawn)).toBe(3);
    expect(written.find((text) => text.includes('2/4  64 samples/s') && text.includes('[2/4]'))?.split('\u001b[J').at(-1)).toMatchInlineSnapshot(`
      "[1/4] seed=0 train  ██████████░░░░░░░░░░  2/4  64 samples/s  loss 0.5  0:02 left
      [2/4] seed=1 train  █████░░░░░░░░░░░░░░░  1/4  loss 1
      0 runs done, 4 to go  0:10 left"
    `);
    expect(written.filter((text) => text.endsWith('\n'))).toMatchInlineSnapshot(`
      [
        "[1/4] seed=0: failed
      ",
        "[2/4] seed=1 train  ████████████████████  4/4  64 samples/s  loss 0.25  in 0:04
      ",
      ]
    `);
    // As many lines up as were drawn.
    const upwards = [...written.entries()].filter(([, text]) => text.includes('A\u001b[J'));
    expect(upwards.length).toBeGreaterThan(3);
    for (const [index, text] of upwards) expect(text.startsWith(`\r\u001b[${(drawn[index - 1] ?? 0) - 1}A`)).toBe(true);
  });

  it('draws no more lines than the terminal has', () => {
    expect(showBoth({ isTTY: true, rows: 4 }).some((text) => text.includes('and 1 more'))).toBe(true);
  });

  it('names the run in each plain line', () => {
    for (const text of showBoth({ isTTY: false })) expect(text).toMatch(/^\[[12]\/4\] seed=[01].*\n$/);
    expect(showBoth({ isTTY: false })).toContain('[1/4] seed=0: failed\n');
  });
});

describe('format', () => {
  it('writes durations and numbers', () => {
    expect([0, 59.6, 65, 7207].map(formatDuration)).toEqual(['0:00', '1:00', '1:05', '2:00:07']);
    expect([0, 0.123456, 0.00001234, 12.3456, 12345.6, -1e12, Number.NaN].map(formatNumber)).toEqual([
      '0',
      '0.1235',
      '1.23e-5',
      '12.35',
      '12,346',
      '-1.00e+12',
      'NaN',
    ]);
  });

  it('aligns tables', () => {
    expect(formatTable(['norm', 'accuracy'], [['batch', '89.5 %'], ['none', '8.1 %']])).toMatchInlineSnapshot(`
      "norm   accuracy
      ─────  ────────
      batch    89.5 %
      none      8.1 %"
    `);
  });
});
