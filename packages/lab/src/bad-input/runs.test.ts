// Run folders that are in use, damaged, moved or half written; disks that are full or may not be written.
import { readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { watchFileOperations } from '../run/files.ts';
import type { FileOperation } from '../run/files.ts';
import { identity } from '../testing/identity.ts';
import { Transcript, athanor, inTemporaryFolder, scrubbed, source, walk, write } from '../testing/transcript.ts';

inTemporaryFolder();
afterEach(() => rmSync('runs', { recursive: true, force: true }));

const one = walk.replace('[0, 1]', '[0]');

/** The folder of the only study. */
function study(): string {
  return join('runs', readdirSync('runs').find((name) => !name.startsWith('.')) ?? '');
}

/** Refuses file operations as a system would, from the first that `which` picks. */
function refusing(code: string, which: (operation: FileOperation, index: number) => boolean): () => void {
  let index = 0;
  let refused = false;
  return watchFileOperations((operation) => {
    refused ||= which(operation, index++);
    if (!refused || operation.kind === 'remove') return;
    const words: Readonly<Record<string, string>> = { ENOSPC: 'no space left on device', EACCES: 'permission denied', EROFS: 'read-only file system' };
    throw Object.assign(new Error(`${code}: ${words[code] ?? ''}, ${operation.kind} '${operation.path}'`), { code, syscall: operation.kind === 'make-folder' ? 'mkdir' : operation.kind, path: operation.path });
  });
}

/** Runs until the second checkpoint has been written, then stops as a kill would. */
async function interrupted(): Promise<void> {
  let checkpoints = 0;
  const release = watchFileOperations(({ kind, path }) => {
    if (kind === 'rename' && path.includes('checkpoints')) checkpoints++;
    if (checkpoints === 2 && kind !== 'remove') throw new Error('killed');
  });
  await athanor('run', 'walk.yaml');
  release();
  for (const name of readdirSync('runs', { recursive: true, encoding: 'utf8' })) if (/(^|\/)lock$/.test(name)) rmSync(join('runs', name));
}

test('damaged and missing files of a run', async () => {
  const told = new Transcript();
  write({ 'walk.yaml': one });
  /** A finished run, changed, then looked at by several commands. */
  const after = async (what: string, change: (folder: string) => void, ...commands: string[]) => {
    rmSync('runs', { recursive: true, force: true });
    await athanor('run', 'walk.yaml');
    change(study());
    for (const command of commands) await told.command(`${what}: ${command}`, [command, study()]);
  };
  const stage = (folder: string) => join(folder, 'seed-0', '0-walk');
  await after('study.json is cut off', (folder) => truncateSync(join(folder, 'study.json'), 40), 'resume', 'report');
  await after('study.json holds a number', (folder) => writeFileSync(join(folder, 'study.json'), '3'), 'report');
  await after('study.json lists nothing', (folder) => writeFileSync(join(folder, 'study.json'), '{}'), 'report');
  await after('config.yaml is missing', (folder) => rmSync(join(folder, 'seed-0', 'config.yaml')), 'resume');
  await after('config.yaml is no YAML', (folder) => writeFileSync(join(folder, 'seed-0', 'config.yaml'), 'a: [\n'), 'resume');
  await after('result.json is cut off', (folder) => truncateSync(join(stage(folder), 'result.json'), 20), 'resume', 'report');
  await after('config.yaml is empty', (folder) => writeFileSync(join(folder, 'seed-0', 'config.yaml'), ''), 'report');
  writeFileSync(join(study(), 'study.json'), '');
  await told.command('a list with a damaged run', ['ls'], 0);
  await expect(told.text).toMatchFileSnapshot('told/damaged.txt');
  expect(told.summary).toEqual({ told: 10, problems: [] });
});

test('runs that cannot be gone on with', async () => {
  const told = new Transcript();
  write({ 'walk.yaml': one, 'toy.ts': readFileSync(source('../testing/toy.ts')) });
  await interrupted();
  const job = join(study(), 'seed-0');
  const environment = join(job, 'environment.json');
  const recorded = readFileSync(environment, 'utf8');
  writeFileSync(environment, JSON.stringify([{ ...(JSON.parse(recorded) as object[])[0], numerics: 'wasm f32 fma' }]));
  await told.command('begun with other numerics', ['resume', study()]);
  writeFileSync(environment, '[');
  await told.command('a damaged record of the environment', ['resume', study()]);
  writeFileSync(environment, recorded);
  const own = { pid: process.ppid, host: hostname(), began: readFileSync(`/proc/${process.ppid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')[19] };
  writeFileSync(join(study(), 'lock'), JSON.stringify(own));
  const inUse = await athanor('resume', study());
  told.add('a folder in which another process works', scrubbed(inUse.error).replaceAll(String(process.ppid), '<other>'));
  writeFileSync(join(study(), 'lock'), JSON.stringify({ ...own, host: 'elsewhere' }));
  const remote = await athanor('resume', study());
  told.add('a folder in which a process of another machine works', scrubbed(remote.error).replaceAll(String(process.ppid), '<other>'));
  writeFileSync(join(study(), 'lock'), '{"pid"');
  await told.command('a damaged lock', ['resume', study()]);
  rmSync(join(study(), 'lock'));
  const record = join(study(), 'study.json');
  const text = readFileSync(record, 'utf8');
  writeFileSync(record, text.replace(/toy\.ts/, 'gone.ts'));
  await told.command('a plugin that is no longer there', ['resume', study()]);
  writeFileSync(record, text);
  expect(inUse.code).toBe(2);
  expect((await athanor('resume', study())).code).toBe(0);
  await expect(told.text).toMatchFileSnapshot('told/resuming.txt');
  expect(told.summary).toEqual({ told: 6, problems: [] });
});

test('a damaged checkpoint is left out, a metric log that is cut off is cut back', async () => {
  write({ 'walk.yaml': one });
  await athanor('run', 'walk.yaml');
  renameSync('runs', 'whole');
  await interrupted();
  const checkpoints = join(study(), 'seed-0', '0-walk', 'checkpoints');
  const [newest = ''] = readdirSync(checkpoints).toSorted().toReversed();
  truncateSync(join(checkpoints, newest, 'tensors.safetensors'), 30);
  const log = join(study(), 'seed-0', '0-walk', 'metrics.arrow');
  writeFileSync(log, Buffer.concat([readFileSync(log), Buffer.from([0xff, 0xff, 0xff, 0xff, 9, 0])]));
  expect((await athanor('report', study())).code).toBe(0);
  const { code } = await athanor('resume', study());
  expect(code).toBe(0);
  const results = (root: string) => identity(join(root, readdirSync(root)[0] ?? '', 'seed-0', '0-walk'));
  expect(results('runs')).toEqual(results('whole'));
  rmSync('whole', { recursive: true });
});

test('a disk that is full at any write', async () => {
  write({ 'walk.yaml': one.replace('steps: 4, checkpointEvery: 2', 'steps: 2, checkpointEvery: 1') });
  const told = new Set<string>();
  const after: number[] = [];
  let writes = 0;
  for (let at = 0; at < 500; at++) {
    rmSync('runs', { recursive: true, force: true });
    let happened = false;
    const release = refusing('ENOSPC', ({ kind }, index) => (happened ||= kind === 'write' && index >= at));
    const { code, error } = await athanor('run', 'walk.yaml');
    release();
    if (!happened) break;
    writes++;
    expect(code).toBe(2);
    told.add(scrubbed(error).replaceAll(/runs\/\S+\/(?=[^/]+:)/g, '…/').replaceAll(/timing-\d+|step-\d+/g, '…'));
    // With space again, the run ends as if nothing had been.
    if (at % 10 === 0) after.push((await athanor('run', 'walk.yaml')).code);
  }
  expect(after).toEqual(after.map(() => 0));
  expect(writes).toBeGreaterThan(20);
  await expect([...told].toSorted().join('\n\n')).toMatchFileSnapshot('told/full-disk.txt');
}, 120_000);

test('folders that may not be written', async () => {
  const told = new Transcript();
  write({ 'walk.yaml': one });
  for (const code of ['EACCES', 'EROFS', 'ENOSPC']) {
    const release = refusing(code, () => true);
    await told.command(`${code} from the first operation on`, ['run', 'walk.yaml']);
    release();
  }
  await athanor('run', 'walk.yaml');
  const release = refusing('EACCES', ({ path }) => path.includes('report'));
  await told.command('a report that cannot be written', ['report', study()]);
  release();
  await expect(told.text).toMatchFileSnapshot('told/unwritable.txt');
  expect(told.summary).toEqual({ told: 4, problems: [] });
});
