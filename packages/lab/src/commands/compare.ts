// `athanor compare`: variants and runs side by side, and which of their differences are real.
import { basename, join, resolve } from 'node:path';
import { chooseBases, chooseMetrics, findSides } from '../compare/sides.ts';
import { compareSides } from '../compare/compare.ts';
import { comparisonPage } from '../compare/page.ts';
import { comparisonTable, differenceTable } from '../compare/table.ts';
import { writeFileWhole } from '../run/files.ts';
import { defineCommand } from './command.ts';
import { shown } from './work.ts';

/** More columns than these do not fit a terminal. */
const mostColumns = 6;

export const compare = defineCommand({
  usage: 'compare <studies..>',
  summary: 'compare runs and their variants: differences by seed, and which are real',
  positionals: { studies: { type: 'string', array: true, demandOption: true, describe: 'names or folders' } },
  options: {
    metric: { type: 'string', array: true, default: [] as string[], describe: 'what to compare (default: accuracies, or all)' },
    against: { type: 'string', describe: 'the variant that the others are compared with (default: the same of the first run, or the first)' },
    to: { type: 'string', describe: 'the HTML page (default: beside the runs)' },
  },
  examples: [
    ['$0 compare quickstart', 'the variants of a sweep'],
    ['$0 compare quickstart-a7 quickstart-f3 --against norm=batch', 'those of two runs'],
  ],
  run: ({ studies, metric, against, to }, { out, runs }) => {
    const names = studies as readonly string[];
    const sides = findSides(names, runs);
    const comparison = compareSides(sides, { metrics: chooseMetrics(sides, metric), bases: chooseBases(sides, against) });
    for (const one of comparison.metrics) out(`${comparisonTable(one)}\n`);
    out('* real: p below 0.05, two-sided, corrected for all differences of the table (Holm)\n');
    if (comparison.changed.length > 0) {
      out(sides.length <= mostColumns ? `${differenceTable(sides.map(({ name }) => name), comparison.changed)}\n` : `The configs differ in ${comparison.changed.map(({ path }) => path).join(', ')}.\n`);
    }
    const folders = [...new Set(sides.map(({ study }) => basename(study)))];
    const path = to === undefined ? join(runs, `compare-${folders.join('-')}`.slice(0, 100) + '.html') : resolve(to);
    writeFileWhole(path, comparisonPage(comparison));
    out(`Page: ${shown(path)}`);
  },
});
