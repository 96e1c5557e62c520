// Finished stages by their key, under `.stages/` of each study: what has been computed is taken over, not computed again.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { sha256 } from './canonical.ts';
import { linkFolderWhole, makeFolder, removeLeftovers, writeFileWhole } from './files.ts';
import { FolderInUse, lockFolder } from './lock.ts';
import { readResult } from './results.ts';
import { readStageRecord } from './stage-record.ts';

/** Files of a stage's folder that belong to the attempt and not to the outcome. */
const ofAttempt = /^(?:timing-\d+\.arrow|why\.json|checkpoints|\.unfinished-.*)$/;

/**
 * Folder of a finished stage with this key, in the study or, unless it was begun `fresh`, in
 * those beside it; undefined if there is none that is sound.
 */
export function findStage(key: string, study: string, { fresh }: { readonly fresh: boolean }): string | undefined {
  const root = dirname(study);
  const others = fresh || !existsSync(root) ? [] : readdirSync(root).filter((name) => name !== basename(study)).map((name) => join(root, name));
  for (const where of [study, ...others]) {
    const path = join(where, '.stages', key, 'where.json');
    const folder = existsSync(path) ? soundStage(key, resolve(where, (JSON.parse(readFileSync(path, 'utf8')) as { folder: string }).folder)) : undefined;
    if (folder !== undefined) return folder;
  }
  return undefined;
}

function soundStage(key: string, folder: string): string | undefined {
  const result = readResult(folder);
  if (result === undefined || readStageRecord(folder)?.key !== key) return undefined;
  const sound = Object.entries(result.artifacts).every(([name, hash]) => existsSync(join(folder, name)) && sha256(readFileSync(join(folder, name))) === hash);
  return sound ? folder : undefined;
}

/** Makes `folder` hold the outcome of the finished stage in `from`, sharing its files where the disk allows it. */
export function takeOver(from: string, folder: string): void {
  linkFolderWhole(folder, from, readdirSync(from).filter((name) => !ofAttempt.test(name)));
}

/** Says where the stage with this key is computed: it counts once its result is there. */
export function announceStage(key: string, folder: string, study: string): void {
  const entry = join(study, '.stages', key);
  makeFolder(entry);
  const where = `${JSON.stringify({ folder: relative(study, folder).replaceAll('\\', '/') })}\n`;
  const path = join(entry, 'where.json');
  if (!existsSync(path) || readFileSync(path, 'utf8') !== where) writeFileWhole(path, where);
}

/**
 * Takes the right to compute the stage with this key in a study. While another process of this machine has
 * it, waits, and calls `waits` once. Returns the function that gives it back. For a process of
 * another machine it does not wait, since nobody can tell whether that lives.
 */
export async function claimStage(key: string, study: string, waits: () => void): Promise<() => void> {
  const entry = join(study, '.stages', key);
  makeFolder(entry);
  for (let told = false; ; ) {
    try {
      const unlock = lockFolder(entry);
      removeLeftovers(entry);
      return unlock;
    } catch (error) {
      if (!(error instanceof FolderInUse)) throw error;
      if (heldElsewhere(entry)) return () => undefined;
      if (!told) waits();
      told = true;
      await new Promise((resume) => setTimeout(resume, 250));
    }
  }
}

function heldElsewhere(entry: string): boolean {
  const path = join(entry, 'lock');
  return existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as { host?: string }).host !== hostname();
}

/** A stage's folder as people know it: `study/run/stage`. */
export function stageWords(folder: string): string {
  return [dirname(dirname(folder)), dirname(folder), folder].map((path) => basename(path)).join('/');
}
