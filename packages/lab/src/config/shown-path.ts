// Paths in messages.
import { relative } from 'node:path';

/** The path as messages show it: from the working folder, unless it lies outside. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path);
  if (shown === '') return '.';
  return shown.startsWith('..') ? path : shown;
}
