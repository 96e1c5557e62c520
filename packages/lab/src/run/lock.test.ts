// Locks: a living holder keeps others out, a dead one does not.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertHeld, goneAfter, isLocked, lockFolder } from './lock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const message = (error: unknown) => (error instanceof Error ? error.message.replace(folder, 'runs/a').replace(folder, 'runs/a') : '');
const refusal = () => {
  try {
    lockFolder(folder);
  } catch (error) {
    return message(error).replace(/process \d+/, 'process N');
  }
  return 'taken';
};
const hold = (holder: object) => writeFileSync(join(folder, 'lock'), JSON.stringify(holder));

describe('lockFolder', () => {
  it('keeps a second one out until the first gives it back, and leaves nothing', () => {
    const unlock = lockFolder(folder);
    expect(isLocked(folder)).toBe(true);
    expect(refusal()).toMatchInlineSnapshot(`"runs/a is in use by process N — wait for it, or end it"`);
    unlock();
    expect(isLocked(folder)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    lockFolder(folder)();
  });

  it('takes over the lock of a process that is gone', () => {
    const pid = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    hold({ pid, host: hostname(), began: '12345' });
    expect(isLocked(folder)).toBe(false);
    lockFolder(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes over the lock of an earlier process that had the pid of a living one', () => {
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    hold({ pid: other.pid, host: hostname(), began: '1' });
    expect(isLocked(folder)).toBe(false);
    lockFolder(folder)();
    other.kill();
  });

  it('does not judge processes of other machines', () => {
    hold({ pid: 1, host: 'elsewhere', began: '1' });
    expect(refusal()).toMatchInlineSnapshot(`"runs/a is in use by process N on elsewhere — if that process is gone, wait five minutes, or delete runs/a/lock"`);
    expect(isLocked(folder)).toBe(true);
  });

  it('takes over the lock of another machine that gives no sign of life, and keeps its own when that one comes back', () => {
    hold({ pid: 1, host: 'elsewhere', began: '1' });
    const before = new Date(Date.now() - 1000 * (goneAfter + 1));
    utimesSync(join(folder, 'lock'), before, before);
    expect(isLocked(folder)).toBe(false);
    const unlock = lockFolder(folder);
    expect(() => assertHeld(folder)).not.toThrow();
    hold({ pid: 1, host: 'elsewhere', began: '1' });
    expect(() => assertHeld(folder)).toThrow('was taken over by another process');
    unlock();
    expect(readdirSync(folder)).toEqual(['lock']);
  });
});
