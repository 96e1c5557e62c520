// One process per run folder: a lock file that a dead process does not keep.
import { existsSync, readFileSync } from 'node:fs';
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

/** Another process holds the folder. */
export class FolderInUse extends UserError {}

/**
 * Takes the lock of a folder and returns the function that gives it back. Throws a UserError
 * while another process holds it; the lock of a process that is gone is taken over.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  const mine: Holder = { pid: process.pid, host: hostname(), began: beginningOf(process.pid) };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (createExclusive(path, JSON.stringify(mine))) return () => remove(path);
    const seen = readText(path);
    if (seen === undefined) continue;
    const holder = parseHolder(seen, path);
    if (holder.host !== mine.host) {
      throw new FolderInUse(`${folder} is in use by process ${holder.pid} on ${holder.host}`, {
        remedy: `if that process is gone, delete ${path}`,
      });
    }
    if (beginningOf(holder.pid) === holder.began && holder.began !== '') {
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
  return holder.host !== hostname() || (holder.began !== '' && beginningOf(holder.pid) === holder.began);
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
