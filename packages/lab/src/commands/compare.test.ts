// `athanor compare`: tables in the terminal, a page with charts, and what a person gets wrong.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './main.ts';

const toy = fileURLToPath(new URL('../testing/toy.ts', import.meta.url));
const before = process.cwd();
let folder = '';

async function athanor(...words: string[]) {
  const out: string[] = [];
  const error: string[] = [];
  const code = await main(words, { out: (text) => out.push(text), error: (text) => error.push(text), progress: { write: () => {} } });
  return { code, out: out.join('\n').replaceAll(/-[0-9a-f]{8}/g, '-HASH'), error: error.join('\n').replaceAll(/-[0-9a-f]{8}/g, '-HASH') };
}

// A walk's test.accuracy depends on its seed and its steps alone.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
  const walk = (seeds: string, steps: string) => `plugins: [${JSON.stringify(toy)}]
seeds: ${seeds}
stages: [{ name: walk, steps: "\${steps}" }]
sweep: { grid: { steps: ${steps} } }
`;
  writeFileSync('walk.yaml', walk('[0, 1, 2]', '[3, 5, 6]'));
  writeFileSync('other.yaml', walk('[5, 6, 7]', '[3]'));
  writeFileSync('alone.yaml', walk('[0]', '[3]'));
  for (const file of ['walk.yaml', 'other.yaml', 'alone.yaml']) {
    const { code, error } = await athanor('run', file);
    if (code !== 0) throw new Error(error);
  }
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('athanor compare', () => {
  it('shows the variants of a run side by side', async () => {
    const { code, out } = await athanor('compare', 'walk');
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "test.accuracy, in percent: differences from steps=3

        variant  seeds   mean  difference (95 %)              p
        ───────  ─────  ─────  ─────────────────────────  ─────
        steps=3      3  72.47  base
        steps=5      3  52.47  -20.00 (-103.77 … +63.77)  0.825
        steps=6      3  71.13  -1.33 (-47.40 … +44.73)    0.912

      * real: p below 0.05, two-sided, corrected for all differences of the table (Holm)

      config          steps=3  steps=5  steps=6
      ──────────────  ───────  ───────  ───────
      stages.0.steps        3        5        6

      Page: runs/compare-walk-HASH.html"
    `);
    const page = readFileSync(join('runs', readdirSync('runs').find((name) => name.endsWith('.html')) ?? ''), 'utf8');
    for (const part of ['<h2>test.accuracy: differences from steps=3</h2>', 'row minus column', '<h2>Learning curves</h2>', 'stages.0.steps', 'p is two-sided']) expect(page).toContain(part);
    expect(page).not.toMatch(/(src|href)="http|NaN|undefined/);
  });

  it('compares runs by pairs of seeds where they have the same ones', async () => {
    const { out } = await athanor('compare', 'walk', 'other', 'alone', '--against', 'walk steps=5', '--to', 'page.html');
    expect(out).toMatchInlineSnapshot(`
      "test.accuracy, in percent: differences from walk steps=5

        variant        seeds   mean  difference (95 %)              p
        ─────────────  ─────  ─────  ─────────────────────────  ─────  ─────────────────────────────
        walk steps=3       3  72.47  +20.00 (-63.77 … +103.77)  1.000
        walk steps=5       3  52.47  base
        walk steps=6       3  71.13  +18.67 (-75.23 … +112.56)  1.000
        other steps=3      3  60.43  +7.97 (-100.13 … +116.07)  1.000  not paired
        alone steps=3      1  76.10  +23.63                            one seed: an interval needs 3

      * real: p below 0.05, two-sided, corrected for all differences of the table (Holm)

      config          walk steps=3  walk steps=5  walk steps=6  other steps=3  alone steps=3
      ──────────────  ────────────  ────────────  ────────────  ─────────────  ─────────────
      stages.0.steps             3             5             6              3              3

      Page: page.html"
    `);
    expect(readFileSync('page.html', 'utf8')).toContain('3 runs compared');
    expect(readFileSync('page.html', 'utf8')).not.toContain('NaN');
  });

  it('compares the variants of runs of one sweep with each other', async () => {
    const text = readFileSync('walk.yaml', 'utf8').replace('name: walk,', 'name: walk, scale: 2,');
    writeFileSync('scaled.yaml', text);
    await athanor('run', 'scaled.yaml');
    const { out } = await athanor('compare', 'walk', 'scaled', '--to', 'scaled.html');
    expect(out.slice(0, out.indexOf('* real'))).toMatchInlineSnapshot(`
      "test.accuracy, in percent: differences from the same variant of walk-HASH

        variant         seeds   mean  difference (95 %)       p
        ──────────────  ─────  ─────  ──────────────────  ─────
        walk steps=3        3  72.47  base
        walk steps=5        3  52.47  base
        walk steps=6        3  71.13  base
        scaled steps=3      3  72.47  0.00 (0.00 … 0.00)  1.000
        scaled steps=5      3  52.47  0.00 (0.00 … 0.00)  1.000
        scaled steps=6      3  71.13  0.00 (0.00 … 0.00)  1.000

      "
    `);
    expect(out).toContain('stages.0.scale');
  });

  it('takes a metric, and single runs', async () => {
    const [walk = ''] = readdirSync('runs').filter((name) => name.startsWith('walk-'));
    const { out } = await athanor('compare', join('runs', walk, 'steps-3.seed-1'), 'alone', '--metric', 'walk/test.accuracy');
    expect(out.split('\n').filter((line) => /steps=3/.test(line))).toMatchInlineSnapshot(`
      [
        "walk/test.accuracy, in percent: differences from walk steps=3",
        "  walk steps=3       1  62.60  base",
        "  alone steps=3      1  76.10  +13.50                one seed: an interval needs 3",
      ]
    `);
  });

  it('finds a run though a folder has its name', async () => {
    mkdirSync('walk');
    expect((await athanor('compare', 'walk')).code).toBe(0);
    rmSync('walk', { recursive: true });
  });

  it('tells what is wrong with its words', async () => {
    const answers = [];
    for (const words of [['alone'], ['wakl', 'other'], ['walk', '--against', 'steps=4'], ['walk', '--against', 'steps'], ['walk', '--metric', 'test.acuracy']]) {
      const { code, error } = await athanor('compare', ...words);
      answers.push(`${code} ${words.join(' ')}: ${error}`);
    }
    expect(answers.join('\n')).toMatchInlineSnapshot(`
      "2 alone: there is only one variant, which differs from nothing — name several runs, or one with a sweep
      2 wakl other: there is no run "wakl" under runs — did you mean "walk"? — athanor ls shows all
      2 walk --against steps=4: --against "steps=4" is no variant — did you mean "steps=3", "steps=5" or "steps=6"?
      2 walk --against steps: --against "steps" names several: steps=3, steps=5, steps=6
      2 walk --metric test.acuracy: no run has "test.acuracy" — did you mean "test.accuracy"?"
    `);
  });
});
