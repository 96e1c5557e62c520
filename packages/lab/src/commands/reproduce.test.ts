// `athanor reproduce`: verdicts in the terminal, records beside the experiment, and the exit code.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentHash } from '../claims/record.ts';
import type { ResultsRecord } from '../claims/record.ts';
import { main } from './main.ts';

const toy = fileURLToPath(new URL('../testing/toy.ts', import.meta.url));
const before = process.cwd();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
  mkdirSync('topic');
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

// Results of the walk: test.accuracy is 0.396 + 0.2·seed or so, whatever the scale; train.loss grows with it.
const walk = (claims: string) => `question: Does the scale matter?
plugins: [${JSON.stringify(toy)}]
seeds: [0, 1, 2]
stages: [{ name: walk, steps: 6, scale: "\${scale}" }]
sweep: { grid: { scale: [1, 2, 4] } }
quick: { seeds: [0], stages.0.steps: 2, sweep: { grid: { scale: [1, 2] } } }
claims:
${claims}`;

const holding = `  - says: the scale changes nothing
    paper: nobody
    expect: { metric: test.accuracy, equal: { scale: 1 }, to: { scale: 2 }, within: 0 }
  - says: accuracy is far above chance
    finding: true
    expect: { metric: test.accuracy, of: { scale: 4 }, atLeast: 0.99 }
`;

async function athanor(...words: string[]) {
  const out: string[] = [];
  const error: string[] = [];
  const code = await main(words, { out: (text) => out.push(text), error: (text) => error.push(text), progress: { write: () => {} } });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

const record = (path: string) => JSON.parse(readFileSync(join(path, 'results.json'), 'utf8')) as ResultsRecord;

describe('athanor reproduce', () => {
  it('judges claims, records what came out, and ends with 0 if all hold that count', async () => {
    writeFileSync('topic/walk.yaml', walk(holding));
    const { code, out, error } = await athanor('reproduce', 'topic/walk.yaml');
    expect(error).toBe('');
    expect(out).toMatchInlineSnapshot(`
      "
      topic/walk.yaml: Does the scale matter?

      verdict  estimate (95 %)           expected   seeds  claim
      ───────  ────────────────────────  ─────────  ─────  ──────────────────────────────────────
      holds    0 (0 – 0)                 within ±0      3  the scale changes nothing
      fails    0.7113 (0.4534 – 0.9693)  ≥ 0.99         3  accuracy is far above chance (finding)

      1 of 1 claim holds; 1 finding. Results: topic/walk/results.md"
    `);
    expect(code).toBe(0);
    expect(readdirSync('topic/walk').toSorted()).toMatchInlineSnapshot(`
      [
        "results.json",
        "results.md",
        "test.accuracy.scale.svg",
        "test.accuracy.svg",
        "train.loss.curves.svg",
      ]
    `);
    const page = readFileSync('topic/walk/results.md', 'utf8');
    expect(page.slice(0, page.indexOf('## Pictures')).replaceAll(/\d:\d\d/g, '0:00')).toMatchInlineSnapshot(`
      "# walk: recorded results

      Does the scale matter?

      ## Claims

      | verdict | claim | quantity | estimate (95 %) | expected | seeds | by |
      |---|---|---|---|---|---|---|
      | **holds** | the scale changes nothing (nobody) | test.accuracy: scale=1 − scale=2 | 0 (0 – 0) | within ±0 | 3 | paired t |
      | fails (finding) | accuracy is far above chance | test.accuracy: scale=4 | 0.7113 (0.4534 – 0.9693) | ≥ 0.99 | 3 | one-sample t |

      1 of 1 claim holds; 1 finding. An interval is of 95 %; a claim holds if the whole of it lies where the claim says, fails if none of it does, and is undecided else.

      ## Numbers

      | variant | seeds | test.accuracy (%) | time |
      |---|---|---|---|
      | scale=1 | 0, 1, 2 | 71.13 (45.34 – 96.93) | 0:00 |
      | scale=2 | 0, 1, 2 | 71.13 (45.34 – 96.93) | 0:00 |
      | scale=4 | 0, 1, 2 | 71.13 (45.34 – 96.93) | 0:00 |

      Brackets: 95 % intervals for the mean over seeds (Student’s t).

      "
    `);
    for (const part of ['![test.accuracy by variant', '`athanor reproduce topic/walk.yaml`', 'sha256 ', 'Node ']) expect(page).toContain(part);
    expect(page).not.toContain(folder);
  });

  it('records every value, the config, the environment and the command, and runs only what is missing', async () => {
    writeFileSync('topic/walk.yaml', walk(holding));
    await athanor('run', 'topic/walk.yaml');
    const result = join('runs', readdirSync('runs')[0] ?? '', 'scale-1.seed-0', '0-walk', 'result.json');
    const { mtimeMs } = statSync(result);
    await athanor('reproduce', 'topic/walk.yaml');
    expect(statSync(result).mtimeMs).toBe(mtimeMs);
    const found = record('topic/walk');
    const [run = ''] = readdirSync('runs');
    expect(found).toMatchObject({
      format: 1,
      experiment: 'walk',
      question: 'Does the scale matter?',
      command: 'athanor reproduce topic/walk.yaml',
      config: { file: 'walk.yaml', hash: run.slice('walk-'.length) },
      seeds: [0, 1, 2],
      environments: [{ node: process.version, runs: 9 }],
    });
    expect(found.variants.map(({ name, seeds }) => [name, ...seeds])).toEqual([1, 2, 4].map((scale) => [`scale=${scale}`, 0, 1, 2]));
    const folders = [0, 1, 2].map((seed) => join('runs', run, `scale-1.seed-${seed}`, '0-walk', 'result.json'));
    const values = folders.map((file) => (JSON.parse(readFileSync(file, 'utf8')) as { summary: Record<string, number> }).summary['test.accuracy']);
    expect(found.variants[0]?.metrics['test.accuracy']?.values).toEqual(values);
    expect(found.claims.map(({ verdict, finding }) => [verdict, finding])).toEqual([['holds', false], ['fails', true]]);
    expect(JSON.stringify(found)).not.toContain(folder);
    await athanor('reproduce', 'topic/walk.yaml');
    expect(record('topic/walk')).toEqual(found);
    expect(readdirSync('runs')).toEqual([run]);
  });

  it('draws and lists the metric of a stage that a claim names', async () => {
    writeFileSync('topic/walk.yaml', walk('  - { says: so, expect: { metric: walk/test.accuracy, equal: { scale: 1 }, to: { scale: 2 }, within: 0, exact: true } }\n'));
    await athanor('reproduce', 'topic/walk.yaml');
    expect(record('topic/walk').variants[0]?.metrics['walk/test.accuracy']).toEqual(record('topic/walk').variants[0]?.metrics['test.accuracy']);
    expect(readFileSync('topic/walk/results.md', 'utf8')).toContain('| walk/test.accuracy: scale=1 − scale=2 | 0 | within ±0 | 3 | exact |');
    expect(record('topic/walk').pictures.map(({ file }) => file)).toContain('walk-test.accuracy.svg');
  });

  it('ends with 1 if a claim fails, is undecided or names no metric', async () => {
    const verdicts = [];
    for (const expectation of ['higher: { scale: 1 }, than: { scale: 2 }', 'of: { scale: 4 }, atLeast: 0.5', 'of: { scale: 4 }, atLeast: 0.5, metric: test.acuracy']) {
      const metric = expectation.includes('metric') ? '' : 'metric: test.accuracy, ';
      writeFileSync('topic/walk.yaml', walk(`  - { says: so, expect: { ${metric}${expectation} } }\n`));
      const { code } = await athanor('reproduce', 'topic/walk.yaml');
      const [claim] = record('topic/walk').claims;
      verdicts.push([code, claim?.verdict, claim?.reason]);
    }
    expect(verdicts).toEqual([
      [1, 'fails', undefined],
      [1, 'undecided', undefined],
      [1, 'undecided', 'scale=4 has no "test.acuracy" — did you mean "test.accuracy"?'],
    ]);
    expect(readdirSync('runs')).toHaveLength(1);
  });

  it('takes folders, and writes a page of all records', async () => {
    writeFileSync('topic/walk.yaml', walk(holding));
    writeFileSync('topic/other.yaml', walk('  - { says: so, expect: { metric: test.accuracy, of: { scale: 4 }, atLeast: 0 } }\n').replace('steps: 6', 'steps: 4'));
    writeFileSync('base.yaml', 'seeds: [1]\n');
    const { code, out, error } = await athanor('reproduce', '.');
    expect({ code, error }).toEqual({ code: 1, error: '' });
    expect(out).toContain('All results: RESULTS.md');
    const page = readFileSync('RESULTS.md', 'utf8').replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE').replaceAll(/\d:\d\d/g, '0:00');
    expect(page.replaceAll(/DATE \| .* \|$/gm, 'DATE | MACHINE |')).toMatchInlineSnapshot(`
      "<!-- Written by \`athanor reproduce\`. -->

      # Recorded results

      1 of 2 claims holds, 1 is undecided; 1 finding.

      | verdict | claim | estimate (95 %) | expected | seeds | experiment |
      |---|---|---|---|---|---|
      | undecided | so | 0.33 (-0.1693 … 0.8293) | ≥ 0 | 3 | [topic/other](topic/other/results.md) |
      | holds | the scale changes nothing | 0 (0 – 0) | within ±0 | 3 | [topic/walk](topic/walk/results.md) |
      | fails (finding) | accuracy is far above chance | 0.7113 (0.4534 – 0.9693) | ≥ 0.99 | 3 | [topic/walk](topic/walk/results.md) |

      ## Experiments

      | experiment | question | variants × seeds | time | recorded | on |
      |---|---|---|---|---|---|
      | [topic/other](topic/other/results.md) | Does the scale matter? | 3 × 3 | 0:00 | DATE | MACHINE |
      | [topic/walk](topic/walk/results.md) | Does the scale matter? | 3 × 3 | 0:00 | DATE | MACHINE |

      A finding is recorded and judged, but nothing depends on it.
      "
    `);
    writeFileSync('topic/walk.yaml', walk(holding).replace('far above', 'above'));
    writeFileSync('topic/other.yaml', walk('').replace('steps: 6', 'steps: 4').replace('claims:\n', ''));
    expect((await athanor('reproduce', 'topic/other.yaml')).code).toBe(0);
    expect(readFileSync('RESULTS.md', 'utf8')).toContain('\n1 of 1 claim holds; 1 finding.\n');
    const lines = readFileSync('RESULTS.md', 'utf8').split('\n').filter((line) => line.includes('the file has changed since'));
    expect(lines.map((line) => line.slice(0, 14))).toEqual(['| [topic/walk]']);
  });

  it('knows a file again by what it says', () => {
    const hashes = ['x: 1 # one\n', '# first\nx:   1\n', 'x: 2\n'].map((text) => {
      writeFileSync('some.yaml', text);
      return contentHash('some.yaml');
    });
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it('refuses to write over a page that a person wrote, before anything runs', async () => {
    writeFileSync('topic/walk.yaml', walk(holding));
    writeFileSync('topic/RESULTS.md', '# Mine\n');
    const { code, error } = await athanor('reproduce', 'topic');
    expect({ code, error }).toEqual({ code: 2, error: 'topic/RESULTS.md was not written by athanor reproduce — give it another name, or name the experiments one by one' });
    expect(existsSync('runs')).toBe(false);
  });

  it('tries the small form without touching what is recorded', async () => {
    writeFileSync('topic/walk.yaml', walk(`${holding}  - { says: no, expect: { metric: test.accuracy, higher: { scale: 1 }, than: { scale: 4 } } }\n`));
    await athanor('reproduce', 'topic/walk.yaml');
    const kept = readFileSync('topic/walk/results.json', 'utf8');
    const { code, out } = await athanor('reproduce', 'topic/walk.yaml', '--quick');
    expect(code).toBe(0);
    expect(out).toContain('The small form works; it says nothing about the claims.');
    expect(readFileSync('topic/walk/results.json', 'utf8')).toBe(kept);
    const small = readdirSync('runs').filter((run) => existsSync(join('runs', run, 'results')));
    expect(small).toHaveLength(1);
    expect(record(join('runs', small[0] ?? '', 'results'))).toMatchObject({ seeds: [0], command: 'athanor reproduce topic/walk.yaml --quick', variants: [{ name: 'scale=1' }, { name: 'scale=2' }] });
  });

  it('tells what the small form lacks', async () => {
    writeFileSync('topic/walk.yaml', walk('  - { says: so, expect: { metric: test.acuracy, of: { scale: 1 }, atLeast: 0.5 } }\n'));
    const { code, out } = await athanor('reproduce', 'topic/walk.yaml', '--quick');
    expect({ code, out: out.slice(out.indexOf('The small')) }).toEqual({ code: 1, out: 'The small form does not work:\n  scale=1 has no "test.acuracy"\n\n0 of 1 small forms work.' });
    writeFileSync('topic/walk.yaml', walk(holding).replace(/quick: .*\n/, ''));
    expect(await athanor('reproduce', 'topic/walk.yaml', '--quick')).toMatchObject({
      code: 2,
      error: 'topic/walk.yaml there is no quick form: write `quick:` with keys such as train.steps, and their values in it',
    });
    writeFileSync('topic/other.yaml', walk(holding));
    const { code: both, out: told } = await athanor('reproduce', 'topic', '--quick');
    expect(both).toBe(1);
    expect(told.split('\n').slice(-4)).toEqual(['', 'topic/walk.yaml there is no quick form: write `quick:` with keys such as train.steps, and their values in it', '', '1 of 2 small forms work.']);
    const { code: full, error: all } = await athanor('reproduce', 'topic/absent.yaml', 'topic/lost.yaml');
    expect({ full, all }).toEqual({ full: 2, all: 'there is no experiment topic/absent.yaml\nthere is no experiment topic/lost.yaml' });
  });
});
