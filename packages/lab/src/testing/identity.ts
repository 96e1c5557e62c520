// What of a study's folder must be the same, bit for bit, however often its runs were interrupted. For tests.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Times, machine and attempts are no part of a run's identity. */
const apart = /(^|\/)(timing-\d+\.arrow|environment\.json|study\.json|report\.html|job\.log|why\.json|stage\.json|slurm\/.*|\.stages\/.*)$/;

/** File → sha256 of everything that belongs to the study's identity. */
export function identity(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const kept = files.filter((file) => !apart.test(file)).toSorted();
  return Object.fromEntries(kept.map((file) => [file, createHash('sha256').update(readFileSync(join(folder, file))).digest('hex')]));
}
