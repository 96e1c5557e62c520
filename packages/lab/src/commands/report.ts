// `athanor report`: write a study's report again.
import { summarize } from '../analysis/summary.ts';
import { writeReport } from '../report/write.ts';
import { findStudy } from '../run/study.ts';
import { summaryTable } from '../terminal/summary.ts';
import { defineCommand } from './command.ts';

export const report = defineCommand({
  usage: 'report <run>',
  summary: 'write the HTML report of a run',
  positionals: { run: { type: 'string', demandOption: true, describe: 'name or folder' } },
  run: (words, { out, runs }) => {
    const study = findStudy(words.run, runs);
    out(`${summaryTable(summarize(study))}\n`);
    out(`Report: ${writeReport(study)}`);
  },
});
