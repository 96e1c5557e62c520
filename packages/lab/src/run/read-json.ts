// JSON and YAML files of run folders: one that is damaged is told with its path and what to do.
import { readFileSync } from 'node:fs';
import { UserError } from '@athanor/core';
import { parse } from 'yaml';
import { shownPath } from '../config/shown-path.ts';

/** The content of a JSON file. Throws a UserError if it is none, with what to do about it. */
export function readJsonFile<T>(path: string, remedy: string): T {
  return readWith(path, remedy, (text) => JSON.parse(text) as T);
}

/** The content of a YAML file, in the same way. */
export function readYamlFile<T>(path: string, remedy: string): T {
  return readWith(path, remedy, (text) => parse(text) as T);
}

function readWith<T>(path: string, remedy: string, read: (text: string) => T): T {
  let value: T;
  try {
    value = read(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new UserError(`${shownPath(path)} ${missing ? 'is missing' : 'is damaged'}`, { remedy, cause: error });
  }
  if (typeof value === 'object' && value !== null) return value;
  throw new UserError(`${shownPath(path)} is damaged: it holds ${JSON.stringify(value) ?? 'nothing'}`, { remedy });
}
