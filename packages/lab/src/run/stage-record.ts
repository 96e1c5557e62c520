// What a stage's folder says about its origin: `stage.json`, which belongs to its identity, and `why.json`, which does not.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileWhole } from './files.ts';
import { stageKey } from './stage-key.ts';
import type { StageParts } from './stage-key.ts';

export interface StageIdentity {
  readonly key: string;
  readonly parts: StageParts;
}

/** Why a stage was computed, or where its outcome was taken from. */
export interface StageReason {
  readonly when: string;
  readonly what: 'ran' | 'reused';
  /** The stage that it was taken from, or that was compared with. */
  readonly other?: string;
  /** What differed from that one, or made it run again, in words. */
  readonly changes: readonly string[];
}

export function readStageRecord(folder: string): StageIdentity | undefined {
  return readJson<StageIdentity>(join(folder, 'stage.json'));
}

/** Writes what a stage's outcome depends on, unless it stands there. */
export function writeStageRecord(folder: string, parts: StageParts): void {
  const key = stageKey(parts);
  if (readStageRecord(folder)?.key !== key) writeFileWhole(join(folder, 'stage.json'), `${JSON.stringify({ key, parts }, null, 2)}\n`);
}

export function readReason(folder: string): StageReason | undefined {
  return readJson<StageReason>(join(folder, 'why.json'));
}

export function writeReason(folder: string, reason: Omit<StageReason, 'when'>): void {
  writeFileWhole(join(folder, 'why.json'), `${JSON.stringify({ when: new Date().toISOString(), ...reason }, null, 2)}\n`);
}

function readJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}
