// The rungs of successive halving, from the side of a run: how far it may go, and where it stands.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { remove, writeFileWhole } from './files.ts';

export const halvingSchema = z.strictObject({
  metric: z.string().min(1).meta({ description: 'A metric that the last stage logs, such as test.accuracy' }),
  mode: z.enum(['max', 'min']).default('max').meta({ description: 'Whether more of it is better, or less' }),
  factor: z.int().min(2).default(3).meta({ description: 'One in so many variants goes on at each rung' }),
  rungs: z.int().min(1).default(1).meta({ description: 'How often variants are chosen' }),
});

/** Successive halving (Jamieson & Talwalkar 2016): all variants begin, and at each rung the best go on. */
export type Halving = z.output<typeof halvingSchema>;

/** The step at which rung 0, 1, … of a stage stands: each is `factor` times as far as the one before. */
export function rungStep(steps: number, rung: number, { factor, rungs }: Halving): number {
  return Math.max(1, Math.ceil(steps / factor ** (rungs - rung)));
}

/** Where a run waits. */
export interface Standing {
  readonly rung: number;
  readonly step: number;
  /** Of the whole stage. */
  readonly steps: number;
}

/** The rung to which a run may go; undefined: to its end. */
export function allowedRung(runFolder: string): number | undefined {
  return readJson<{ rung: number }>(join(runFolder, 'rung.json'))?.rung;
}

/** Lets a run go to a rung, or to its end. */
export function allowRung(runFolder: string, rung: number | undefined): void {
  if (allowedRung(runFolder) === rung) return;
  const path = join(runFolder, 'rung.json');
  if (rung === undefined) remove(path);
  else writeFileWhole(path, `${JSON.stringify({ rung })}\n`);
}

export function readStanding(stageFolder: string): Standing | undefined {
  return readJson<Standing>(join(stageFolder, 'standing.json'));
}

export function writeStanding(stageFolder: string, standing: Standing): void {
  writeFileWhole(join(stageFolder, 'standing.json'), `${JSON.stringify(standing)}\n`);
}

function readJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}
