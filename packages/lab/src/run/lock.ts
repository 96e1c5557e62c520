// One process per run folder: a lock file that a dead process does not keep, nor one of a machine that is gone.
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@athanor/core';
import { createExclusive, remove, rename, temporaryName } from './files.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, so that another with the same pid is not taken for it. */
  readonly began: string;
}

/** Seconds between two signs of life, and after how many without one a process of another machine counts as gone. */
const signEvery = 10;
export const goneAfter = 300;

/** Another process holds the folder. */
export class FolderInUse extends UserError {}

/**
 * Takes the lock of a folder and returns the function that gives it back. Throws a UserError
 * while another process holds it; the lock of a process that is gone is taken over, that of
 * another machine's when it has given no sign of life for five minutes.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  const mine = thisProcess();
  for (let attempt = 0; attempt < 5; attempt++) {
    if (createExclusive(path, JSON.stringify(mine))) return keep(folder);
    const seen = readText(path);
    if (seen === undefined) continue;
    const holder = parseHolder(seen, path);
    if (holder.host !== mine.host && silence(path) < goneAfter) {
      throw new FolderInUse(`${folder} is in use by process ${holder.pid} on ${holder.host}`, {
        remedy: `if that process is gone, wait five minutes, or delete ${path}`,
      });
    }
    if (holder.host === mine.host && isAlive(holder)) {
      throw new FolderInUse(`${folder} is in use by process ${holder.pid}`, { remedy: 'wait for it, or end it' });
    }
    takeAway(path, seen);
  }
  throw new FolderInUse(`${folder} is being taken by several processes at once`, { remedy: 'try again' });
}

/** Whether a living process holds the lock. */
export function isLocked(folder: string): boolean {
  const text = readText(join(folder, 'lock'));
  if (text === undefined) return false;
  const holder = parseHolder(text, join(folder, 'lock'));
  return holder.host === hostname() ? isAlive(holder) : silence(join(folder, 'lock')) < goneAfter;
}

/** Throws if the lock that this process took is no longer its own: it was thought gone, and must not write any more. */
export function assertHeld(folder: string): void {
  if (holds(folder)) return;
  throw new FolderInUse(`${folder} was taken over by another process, which thought this one gone`, { remedy: 'leave it to that one' });
}

/** Gives signs of life until the lock is given back. */
function keep(folder: string): () => void {
  const path = join(folder, 'lock');
  const timer = setInterval(() => {
    try {
      if (holds(folder)) utimesSync(path, new Date(), new Date());
    } catch {
      // Whoever reads the lock judges by its time.
    }
  }, 1000 * signEvery).unref();
  return () => {
    clearInterval(timer);
    if (holds(folder)) remove(path);
  };
}

function holds(folder: string): boolean {
  return readText(join(folder, 'lock')) === JSON.stringify(thisProcess());
}

function thisProcess(): Holder {
  return { pid: process.pid, host: hostname(), began: beginningOf(process.pid) };
}

function isAlive({ pid, began }: Holder): boolean {
  return began !== '' && beginningOf(pid) === began;
}

/** Seconds since the last sign of life; the machines' clocks must agree roughly. */
function silence(path: string): number {
  try {
    return (Date.now() - statSync(path).mtimeMs) / 1000;
  } catch {
    return Infinity;
  }
}

function parseHolder(text: string, path: string): Holder {
  try {
    return JSON.parse(text) as Holder;
  } catch (error) {
    throw new UserError(`${path} is damaged`, { remedy: 'delete it, if no process works on that folder', cause: error });
  }
}

/** Removes a stale lock, but not a fresh one that another process has just put in its place. */
function takeAway(path: string, stale: string): void {
  // A name of its own: where aside and path are links to one file, a rename would do nothing.
  const aside = temporaryName(`${path}-stale`);
  remove(aside);
  try {
    rename(path, aside);
  } catch {
    return;
  }
  if (readText(aside) === stale) remove(aside);
  else rename(aside, path);
}

/** When a process began, as far as the system tells; empty if there is no such process. */
function beginningOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  if (existsSync('/proc/self/stat')) return '';
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? 'alive' : '';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
