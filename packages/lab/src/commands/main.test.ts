// The command line as a person uses it: what is printed where, and with which exit code.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identity } from '../testing/identity.ts';
import { main } from './main.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const before = process.cwd();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
  writeFileSync(
    'walk.yaml',
    `plugins: [${JSON.stringify(source('../testing/toy.ts'))}]
seeds: [0, 1]
stages: [{ name: walk, steps: 6, scale: "\${scale}" }]
sweep: { grid: { scale: [1, 2] } }
`,
  );
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function athanor(...words: string[]) {
  const out: string[] = [];
  const error: string[] = [];
  const code = await main(words, {
    out: (text) => out.push(text),
    error: (text) => error.push(text),
    progress: { write: (text) => error.push(text) },
  });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

describe('athanor run', () => {
  it('runs every job, then shows a table and the path of the report', async () => {
    const { code, out } = await athanor('run', 'walk.yaml', 'seeds=[3]');
    expect(code).toBe(0);
    const report = /Report: (.*)/.exec(out)?.[1] ?? '';
    expect(out.replaceAll(/[0-9a-f]{8}/g, 'HASH').replaceAll(/\d:\d\d$/gm, '0:00')).toMatchInlineSnapshot(`
      "
      variant  runs  test.accuracy         time
      ───────  ────  ────────────────────  ────
      scale=1     1  39.6 % (36.6 – 42.7)  0:00
      scale=2     1  39.6 % (36.6 – 42.7)  0:00

      Report: runs/walk-HASH/report.html"
    `);
    expect(readFileSync(report, 'utf8')).toContain('<title>walk — Athanor report</title>');
  });

  it('goes on with a run that is there, and begins anew when asked', async () => {
    await athanor('run', 'walk.yaml');
    const [first = ''] = readdirSync('runs');
    const again = await athanor('run', 'walk.yaml');
    expect(again.out.split('\n')[0]).toBe(`runs/${first} is done already: nothing to run (--fresh runs it anew)`);
    await athanor('run', 'walk.yaml', '--fresh');
    expect(readdirSync('runs').toSorted()).toEqual([first, `${first}-2`]);
    expect(identity(join('runs', `${first}-2`))).toEqual(identity(join('runs', first)));
  });

  it('leaves nothing behind when the file has mistakes', async () => {
    writeFileSync('walk.yaml', readFileSync('walk.yaml', 'utf8').replace('steps', 'stepz'));
    expect(await athanor('run', 'walk.yaml', 'seeds=1')).toMatchInlineSnapshot(`
      {
        "code": 2,
        "error": "walk.yaml:3:24 unknown key "stepz" — did you mean "steps"?
      command line "seeds=1" seeds: expected a list, got 1",
        "out": "",
      }
    `);
    expect(existsSync('runs')).toBe(false);
  });
});

describe('athanor', () => {
  it('answers mistakes with one line and code 2', async () => {
    const answers = [];
    for (const words of [[], ['rum'], ['run'], ['run', 'walk.yaml', '--frehs'], ['run', 'wlak.yaml'], ['resume', 'x'], ['ls', 'rums'], ['ls', 'components', '--kind', 'datset']]) {
      const { code, error } = await athanor(...words);
      answers.push(`${code} ${words.join(' ')}: ${error.replace(/left out: .*\n+/g, '').replace(/kinds: .*/, 'kinds: …')}`);
    }
    expect(answers.join('\n')).toMatchInlineSnapshot(`
      "2 : which command? athanor --help lists them
      2 rum: unknown command "rum" — did you mean "run"?
      2 run: a word is missing: athanor <command> --help shows which
      2 run walk.yaml --frehs: unknown option "frehs" — did you mean "fresh"?
      2 run wlak.yaml: there is no experiment wlak.yaml — did you mean "walk.yaml"?
      2 resume x: there is no run "x" under runs — athanor ls shows all
      2 ls rums: ls knows no "rums" — did you mean "runs"? — athanor ls runs, athanor ls components
      2 ls components --kind datset: there is no component of kind "datset" — did you mean "dataset"? — kinds: …"
    `);
  });

  it('answers its own faults with code 1, the stack only with --debug', async () => {
    writeFileSync('faulty.yaml', `plugins: [${JSON.stringify(source('../testing/faulty.ts'))}]\nstages: [{ name: faulty, how: create }]\n`);
    expect(await athanor('run', 'faulty.yaml')).toMatchObject({ code: 1, error: expect.stringContaining('no such luck (--debug shows where)') as string });
    expect((await athanor('run', 'faulty.yaml', '--debug')).error).toContain('    at ');
  });

  it('lists runs and components', async () => {
    await athanor('run', 'walk.yaml', 'scale=2', 'seeds=[0]');
    const runs = JSON.parse((await athanor('ls', '--json')).out) as { status: string; done: number; runs: number }[];
    expect(runs).toMatchObject([{ status: 'done', done: 1, runs: 1 }]);
    const { out } = await athanor('ls', 'components', '--kind', 'stage', '--plugin', source('../testing/toy.ts'), '--json');
    const components = JSON.parse(out) as { name: string }[];
    expect(components.find(({ name }) => name === 'walk')).toMatchObject({
      kind: 'stage',
      name: 'walk',
      package: 'toy',
      summary: 'a random walk',
      schema: { type: 'object', additionalProperties: false, properties: { steps: { type: 'integer', minimum: 1, default: 10 } } },
    });
  });

  it('examines the machine and an experiment', async () => {
    const { code, out } = await athanor('doctor', 'walk.yaml');
    expect(code).toBe(0);
    expect(out).toContain('✓  Node');
    expect(out).toContain('4 runs');
  });

  it('goes on after kill −9 to the bits of an unbroken run', async () => {
    await athanor('run', 'walk.yaml', '--runs', 'whole');
    const words = ['--conditions=@athanor/source', '--import', source('../testing/source.mjs'), source('../cli.ts')];
    const slow = readFileSync('walk.yaml', 'utf8').replace('steps: 6', 'steps: 6, wait: 25');
    writeFileSync('walk.yaml', slow);
    let kills = 0;
    for (const wait of [10, 200]) {
      const child = spawn(process.execPath, [...words, 'run', 'walk.yaml', '--executor=inline'], { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
      await new Promise((resolve) => child.stderr.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, wait));
      child.kill('SIGKILL');
      if ((await ended) === 'SIGKILL') kills++;
    }
    expect(kills).toBe(2);
    const [run = ''] = readdirSync('runs');
    expect((await athanor('resume', run.slice(0, 7))).code).toBe(0);
    const results = (root: string) => Object.entries(identity(join(root, readdirSync(root)[0] ?? ''))).filter(([file]) => file.includes('0-walk'));
    expect(results('runs')).toEqual(results('whole'));
    expect(results('runs')).toHaveLength(4 * 4);
  }, 120_000);
});
