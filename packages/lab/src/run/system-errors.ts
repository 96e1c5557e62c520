// What the operating system refuses, as a mistake that a person can mend: a full disk, a folder that may not be written.
import { UserError } from '@athanor/core';
import { shownPath } from '../config/shown-path.ts';

/** Code → what it means, and what to do. */
const known: Readonly<Record<string, readonly [meaning: string, remedy: string]>> = {
  ENOSPC: ['no space is left on the disk', 'free some, or choose a folder on another disk with --runs; the same command goes on from the last checkpoint'],
  EDQUOT: ['the quota of the disk is used up', 'free some space; the same command goes on from the last checkpoint'],
  EACCES: ['permission denied', 'choose a folder that you may write with --runs, or change its permissions'],
  EPERM: ['the system does not permit it', 'choose a folder that you may write with --runs'],
  EROFS: ['the disk can only be read', 'choose a folder on another disk with --runs'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'choose another folder (for runs, with --runs)'],
  EISDIR: ['it is a folder, not a file', 'name a file'],
  ENOENT: ['it is not there', 'has it been moved or deleted?'],
  ENAMETOOLONG: ['the name is too long', 'give the experiment or the values of its sweep shorter names'],
  EMFILE: ['too many files are open', 'allow more (ulimit -n), or run fewer jobs at once'],
  EIO: ['the disk does not answer as it should', 'check the disk; the same command goes on from the last checkpoint'],
};

/** A UserError for an error of the file system; the error itself for any other. */
export function explainSystemError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError || !('code' in error) || !('syscall' in error)) return error;
  const [meaning, remedy] = known[String(error.code)] ?? [];
  if (meaning === undefined || remedy === undefined) return error;
  const path = 'path' in error && typeof error.path === 'string' ? shownPath(error.path.replace(/\.unfinished-\d+-/, '')) : 'a file';
  const doing = /^(?:read|scandir|stat|lstat|access)$/.test(String(error.syscall)) || (error.syscall === 'open' && error.code === 'ENOENT') ? 'read' : 'write';
  return new UserError(`cannot ${doing} ${path}: ${meaning}`, { remedy, cause: error });
}
