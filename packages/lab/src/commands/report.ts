// `athanor report`: write a study's report again.
import { summarize } from '../analysis/summary.ts';
import { writeReport } from '../report/write.ts';
import { findStudy } from '../run/study.ts';
import { summaryTable } from '../terminal/summary.ts';
import type { CommandContext } from './context.ts';

export function reportCommand(name: string, { out, runs }: CommandContext): void {
  const study = findStudy(name, runs);
  out(`${summaryTable(summarize(study))}\n`);
  out(`Report: ${writeReport(study)}`);
}
