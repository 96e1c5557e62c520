// What a study keeps of the state of its repository.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from '../commands/main.ts';

const toy = fileURLToPath(new URL('../testing/toy.ts', import.meta.url));
const before = process.cwd();
let folder = '';

function git(...words: string[]): void {
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', '-c', 'commit.gpgsign=false', ...words], { cwd: folder, stdio: 'ignore' });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  process.chdir(folder);
  writeFileSync('walk.yaml', `plugins: [${JSON.stringify(toy)}]\nstages: [{ name: walk, steps: 2 }]\n`);
  writeFileSync('notes.txt', 'first\n');
  writeFileSync('.gitignore', 'runs\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Begin');
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function patches(): Promise<string[]> {
  const code = await main(['run', 'walk.yaml', '--fresh'], { out: () => undefined, error: () => undefined, progress: { write: () => undefined } });
  expect(code).toBe(0);
  const study = readdirSync('runs').map((name) => join('runs', name)).at(-1) ?? '';
  return readdirSync(study).filter((name) => name.endsWith('.patch')).map((name) => readFileSync(join(study, name), 'utf8'));
}

it('keeps what is not committed as a patch that git applies', async () => {
  expect(await patches()).toEqual([]);
  writeFileSync('notes.txt', 'second\n');
  const [patch = ''] = await patches();
  expect(patch).toContain('-first\n+second\n');
  writeFileSync('notes.txt', 'first\n');
  writeFileSync(join('runs', 'changes.patch'), patch);
  git('apply', join('runs', 'changes.patch'));
  expect(readFileSync('notes.txt', 'utf8')).toBe('second\n');
});
