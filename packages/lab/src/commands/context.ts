// What every command is given: where it runs and where its words go.
import { join, resolve } from 'node:path';
import type { ProgressStream } from '../terminal/progress.ts';

export interface CommandContext {
  /** Results: tables, lists, paths. */
  readonly out: (text: string) => void;
  /** Progress and notes. */
  readonly progress: ProgressStream;
  /** Folder of all runs. */
  readonly runs: string;
  /** Whether this process runs nothing else. */
  readonly ownsProcess: boolean;
  /** Folder of large data sets. */
  readonly dataDir: string | undefined;
}

export function runsFolder(option: string | undefined): string {
  return resolve(option ?? join(process.cwd(), 'runs'));
}
