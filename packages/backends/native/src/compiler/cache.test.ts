import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileCache } from './cache.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-test-'));
  file = join(folder, 'fresh');
  writeFileSync(file, 'a library');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const key = (digit: string): string => digit.repeat(32);
const cacheIn = (limitBytes?: number): FileCache => new FileCache({ folder: join(folder, 'cache'), ...(limitBytes === undefined ? {} : { limitBytes }) });

describe('FileCache', () => {
  it('finds what another process stored, under every key', () => {
    cacheIn().store([key('a'), key('b')], file, 'so');
    const other = cacheIn();
    expect(other.find(key('a'))?.digest).toBe(other.find(key('b'))?.digest);
    expect(other.find(key('c'))).toBeUndefined();
  });

  it('keeps a library of several kernels once on disk', () => {
    const cache = cacheIn();
    const [a, b] = cache.store([key('a'), key('b')], file, 'so');
    expect(statSync(a?.path ?? '').ino).toBe(statSync(b?.path ?? '').ino);
  });

  it('keeps the folder to its owner', () => {
    expect(statSync(cacheIn().folder).mode & 0o777).toBe(0o700);
  });

  it('does without a folder that others may write', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const cache = new FileCache({ folder: open });
    expect(cache.folder).not.toBe(open);
    rmSync(cache.folder, { recursive: true });
  });

  it('removes a file whose content is not whole', () => {
    const [stored] = cacheIn().store([key('a')], file, 'so');
    truncateSync(stored?.path ?? '', 3);
    expect(cacheIn().find(key('a'))).toBeUndefined();
    expect(existsSync(stored?.path ?? '')).toBe(false);
  });

  it('does not mind that another process stored the same', () => {
    const [first, second] = [cacheIn(), cacheIn()];
    expect(first.store([key('a')], file, 'so')).toEqual(second.store([key('a')], file, 'so'));
  });

  it('forgets the oldest when it grows too big', () => {
    const cache = cacheIn(20);
    const paths = ['a', 'b', 'c'].map((digit, i) => {
      writeFileSync(file, `library ${digit}!`);
      const path = cache.store([key(digit)], file, 'so')[0]?.path ?? '';
      utimesSync(path, 1000 + i, 1000 + i);
      rmSync(file);
      return path;
    });
    cache.trim();
    expect(paths.map((path) => existsSync(path))).toEqual([false, true, true]);
  });

  it('clears up after processes that died while compiling', () => {
    const cache = cacheIn();
    const { folder: left } = cache.workspace();
    utimesSync(left, 1000, 1000);
    const { folder: busy } = cache.workspace();
    cache.trim();
    expect(readdirSync(cache.folder)).toEqual([busy.slice(cache.folder.length + 1)]);
  });
});
