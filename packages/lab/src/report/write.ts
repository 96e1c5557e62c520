// Writing a study's report: one HTML file that needs nothing else.
import { join } from 'node:path';
import { writeFileWhole } from '../run/files.ts';
import type { Study } from '../run/study.ts';

/** Writes `report.html` into the study's folder and returns its path. */
export function writeReport(study: Study): string {
  const path = join(study.folder, 'report.html');
  writeFileWhole(path, '');
  return path;
}
