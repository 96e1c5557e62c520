// What a run has left on the disk: the results of its stages and the environments of its attempts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { readJsonFile } from './read-json.ts';
import type { StageResult } from './stage.ts';
import type { Run } from './study.ts';

/** What `result.json` of a stage holds. */
export interface StageRecord {
  readonly summary: StageResult['summary'];
  readonly steps: number;
  /** File name → sha256. */
  readonly artifacts: Readonly<Record<string, string>>;
}

/** A finished stage's result; undefined while it is not finished. */
export function readResult(folder: string): StageRecord | undefined {
  const path = join(folder, 'result.json');
  return existsSync(path) ? readJsonFile<StageRecord>(path, 'delete it and resume: the stage is then done again') : undefined;
}

/** The environments in which a run was worked on, the first attempt first. */
export function readEnvironments(run: Run): Environment[] {
  const path = join(run.folder, 'environment.json');
  return existsSync(path) ? readJsonFile<Environment[]>(path, 'delete it and resume; what is known of earlier attempts is lost') : [];
}
