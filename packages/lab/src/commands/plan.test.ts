// `plan` and `why`, on a graph of stages that share and change: every line as it is printed.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from './main.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const before = process.cwd();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'athanor-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function athanor(...words: string[]) {
  const out: string[] = [];
  const error: string[] = [];
  const progress: string[] = [];
  const code = await main([...words], { out: (text) => out.push(text), error: (text) => error.push(text), progress: { write: (text) => progress.push(text) } });
  const plain = (text: string) => text.replaceAll(/-[0-9a-f]{8}\b/g, '-HASH').replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'THEN').replaceAll(/\b[0-9a-f]{12}\b/g, 'CODE');
  return { code, out: plain(out.join('\n')), error: plain(error.join('\n')), progress: plain(progress.join('')) };
}

const walks = (steps: number, scale = 1) => `plugins: [${JSON.stringify(source('../testing/toy.ts'))}]
seeds: [0, 1]
stages:
  teacher: { name: walk, steps: ${steps} }
  student: { name: walk, steps: 3, scale: "\${scale}", needs: [teacher] }
sweep: { grid: { scale: [${scale}, 7] } }
`;

describe('athanor plan and why', () => {
  it('tell what runs, what is there, and why', async () => {
    writeFileSync('walks.yaml', walks(4));
    expect((await athanor('plan', 'walks.yaml')).out).toMatchInlineSnapshot(`
      "variant  stage    state     steps             parameters  MACs a sample  memory  time a run
      ───────  ───────  ────────  ────────────────  ──────────  ─────────────  ──────  ──────────
      scale=1  teacher  2 to run  4
      scale=1  student  2 to run  after its inputs
      scale=7  teacher  2 shared  4
      scale=7  student  2 to run  after its inputs

      6 of 8 stages to compute. Runs go to runs/walks-HASH."
    `);
    expect(existsSync('runs')).toBe(false);
    expect((await athanor('run', 'walks.yaml', '--executor', 'inline')).code).toBe(0);
    const [study = ''] = readdirSync('runs');
    expect((await athanor('why', 'walks')).out).toMatchInlineSnapshot(`
      "scale-1.seed-0
        teacher ran (THEN): nothing like it had been computed
        student ran (THEN): nothing like it had been computed
      scale-1.seed-1
        teacher ran (THEN): nothing like it had been computed
        student ran (THEN): nothing like it had been computed
      scale-7.seed-0
        teacher was taken from walks-HASH/scale-1.seed-0/0-teacher (THEN), which had computed the same
        student ran (THEN): nothing like it had been computed
      scale-7.seed-1
        teacher was taken from walks-HASH/scale-1.seed-1/0-teacher (THEN), which had computed the same
        student ran (THEN): nothing like it had been computed"
    `);
    expect((await athanor('plan', 'walks.yaml')).out.split('\n').at(-1)).toBe('0 of 8 stages to compute. Runs go to runs/walks-HASH.');

    writeFileSync('walks.yaml', walks(4, 2));
    expect((await athanor('plan', 'walks.yaml')).out).toMatchInlineSnapshot(`
      "variant  stage    state         steps             parameters  MACs a sample  memory  time a run
      ───────  ───────  ────────────  ────────────────  ──────────  ─────────────  ──────  ──────────
      scale=2  teacher  2 taken over  4
      scale=2  student  2 to run      after its inputs
      scale=7  teacher  2 taken over  4
      scale=7  student  2 taken over

      2 of 8 stages to compute. Runs go to runs/walks-HASH."
    `);
    writeFileSync('walks.yaml', walks(5));
    await athanor('run', 'walks.yaml', '--executor', 'inline');
    const other = readdirSync('runs').find((name) => name !== study) ?? '';
    expect((await athanor('why', join('runs', other, 'scale-1.seed-0'), 'student')).out).toMatchInlineSnapshot(`
      "scale-1.seed-0
        student ran (THEN): the outcome of teacher changed, compared with walks-HASH/scale-1.seed-0/1-student"
    `);
    expect((await athanor('why', other, 'techer')).error).toBe('there is no stage "techer" — did you mean "teacher"? — stages: teacher, student');
  }, 60_000);

  it('tell that the code has changed; run computes again, resume keeps', async () => {
    writeFileSync('walks.yaml', walks(4));
    await athanor('run', 'walks.yaml', 'scale=1', 'seeds=[0]', '--executor', 'inline');
    const [study = ''] = readdirSync('runs');
    const path = join('runs', study, 'scale-1.seed-0', '0-teacher', 'stage.json');
    const older = readFileSync(path, 'utf8').replace(/("\.\/toy\.ts": ")[0-9a-f]{12}/, '$1000000000000');
    writeFileSync(path, older);
    expect((await athanor('why', 'walks')).out).toMatchInlineSnapshot(`
      "scale-1.seed-0
        teacher ran (THEN): nothing like it had been computed
        teacher would run again: the code of ./toy.ts changed (CODE → CODE)
        student ran (THEN): nothing like it had been computed"
    `);
    expect((await athanor('resume', 'walks')).progress).toMatchInlineSnapshot(`
      "kept, though it is of other code: teacher: the code of ./toy.ts changed (CODE → CODE)
      "
    `);
    expect(readFileSync(path, 'utf8')).toBe(older);
    const { progress } = await athanor('run', 'walks.yaml', 'scale=1', 'seeds=[0]', '--executor', 'inline');
    expect(progress.split('\n').filter((line) => line.includes('again'))).toMatchInlineSnapshot(`
      [
        "runs again: teacher: the code of ./toy.ts changed (CODE → CODE)",
      ]
    `);
    expect(readFileSync(path, 'utf8')).not.toBe(older);
    expect((await athanor('why', 'walks', 'teacher')).out).toMatchInlineSnapshot(`
      "scale-1.seed-0
        teacher ran (THEN): the code of ./toy.ts changed (CODE → CODE)"
    `);
  }, 60_000);

  it('probe what training takes', async () => {
    writeFileSync(
      'tiny.yaml',
      `plugins: [${JSON.stringify(source('../testing/tiny.ts'))}, ${JSON.stringify(source('../../../backends/cpu/src/index.ts'))}]
backend: cpu
data: { name: moons, noise: 0.1, train: 160, test: 80 }
model: { name: tiny, hidden: 12 }
train: { batch: 16, epochs: 6 }
`,
    );
    const { stages } = JSON.parse((await athanor('plan', 'tiny.yaml', '--seconds', '0.01', '--json')).out) as { stages: { steps: number; parameters: number; macs: number; memory: number; seconds: number }[] };
    expect(stages).toMatchObject([{ steps: 60, parameters: 62, macs: 2 * 12 + 12 * 2, toRun: 1, states: { waiting: 1 } }]);
    expect(stages[0]?.memory).toBeGreaterThan(16 * 12 * 4);
    expect(stages[0]?.seconds).toBeGreaterThan(0);
    expect((await athanor('plan', 'tiny.yaml', '--seconds', '0')).out).not.toContain('one after the other');
    expect((await athanor('plan', 'tiny.yaml', '--seconds', 'x')).error).toBe('--seconds NaN — give a number from 0');
  }, 60_000);
});
