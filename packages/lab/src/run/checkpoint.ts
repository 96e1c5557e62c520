// Checkpoints: a folder for each, written whole; the newest that is sound is gone on from.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '@athanor/data';
import { remove, writeFolderWhole } from './files.ts';
import type { Json, StageState } from './stage.ts';

export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  /** Length of the metric log at that step. */
  readonly logOffset: number;
  readonly state: StageState;
}

interface StoredValues {
  readonly step: number;
  readonly logOffset: number;
  readonly values: Json;
  /** sha256 of the tensors' file. */
  readonly tensors: string;
}

/** How many are kept: the newest, and one to fall back on if a disk has spoilt it. */
const kept = 2;

/** Writes a checkpoint under `folder` and removes those that are no longer needed. */
export function writeCheckpoint(folder: string, { step, logOffset, state }: Checkpoint): void {
  const tensors = writeSafetensors(state.tensors);
  const stored: StoredValues = { step, logOffset, values: state.values, tensors: sha256(tensors) };
  const name = `step-${String(step).padStart(9, '0')}`;
  writeFolderWhole(
    join(folder, name),
    new Map<string, string | Uint8Array>([
      ['tensors.safetensors', tensors],
      ['state.json', `${JSON.stringify(stored, null, 1)}\n`],
    ]),
  );
  for (const old of checkpoints(folder).slice(kept)) remove(join(folder, old));
}

/** The newest sound checkpoint; `spoilt` names newer ones that could not be read. */
export function readCheckpoint(folder: string): { readonly checkpoint: Checkpoint | undefined; readonly spoilt: readonly string[] } {
  const spoilt: string[] = [];
  for (const name of checkpoints(folder)) {
    try {
      return { checkpoint: readOne(join(folder, name)), spoilt };
    } catch {
      spoilt.push(name);
    }
  }
  return { checkpoint: undefined, spoilt };
}

function readOne(folder: string): Checkpoint {
  const { step, logOffset, values, tensors } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as StoredValues;
  const bytes = readFileSync(join(folder, 'tensors.safetensors'));
  if (sha256(bytes) !== tensors) throw new Error(`${folder} is not what was written`);
  return { step, logOffset, state: { values, tensors: readSafetensors(bytes).tensors } };
}

function checkpoints(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => /^step-\d+$/.test(name)).toSorted().toReversed();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
