// `athanor reproduce`: run what is missing of experiments, judge their claims, and record what came out beside them.
import { existsSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { UserError } from '@athanor/core';
import { judgeClaims } from '../claims/evaluate.ts';
import { tally } from '../claims/markdown.ts';
import { measureVariants } from '../claims/measure.ts';
import { insanities } from '../claims/sanity.ts';
import { checkIndex, experimentFiles, refreshIndices, resultsFolder, writeIndex, writeResults } from '../claims/write.ts';
import { loadExperiment } from '../config/load.ts';
import { executorOptions } from '../executors/choose.ts';
import type { ExecutorWords } from '../executors/choose.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { createStudy } from '../run/study.ts';
import { claimsTable } from '../terminal/claims.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { complete, shown } from './work.ts';

export const reproduce = defineCommand({
  usage: 'reproduce <experiments..>',
  summary: 'run experiments, judge their claims and record the results beside them',
  positionals: { experiments: { type: 'string', array: true, demandOption: true, describe: 'YAML files, or folders of them' } },
  options: {
    quick: { type: 'boolean', default: false, describe: 'only try out the small forms; recorded results stay' },
    ...executorOptions,
  },
  examples: [
    ['$0 reproduce experiments/quickstart.yaml', 'its results go to experiments/quickstart/'],
    ['$0 reproduce experiments --quick', 'whether all of them work'],
  ],
  run: async ({ experiments: named, quick, ...words }, context) => {
    const experiments = named as readonly string[];
    const folders = experiments.filter((path) => existsSync(path) && statSync(path).isDirectory());
    if (!quick) folders.forEach(checkIndex);
    const files = [...new Set(experiments.flatMap((path) => (folders.includes(path) ? experimentFiles(path) : [path])))];
    if (files.length === 0) throw new UserError(`there are no experiments under ${folders.join(', ')}`);
    const loaded = [];
    const mistakes: string[] = [];
    for (const file of files) {
      try {
        loaded.push(await loadExperiment(file, { builtin: builtinPlugins, quick }));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        mistakes.push(error.message);
      }
    }
    if (mistakes.length > 0 && (!quick || loaded.length === 0)) throw new UserError(mistakes.join('\n'));
    // Small forms take less time than the start of a process.
    const chosen = quick ? { executor: 'inline', ...given(words) } : words;
    const good = [];
    for (const experiment of loaded) {
      const study = createStudy(experiment, context.runs);
      if (await reproduceOne({ study, experiment, words: chosen, quick }, context)) good.push(experiment.name);
    }
    if (quick) context.out([...mistakes.map((lines) => `\n${lines}`), `\n${good.length} of ${files.length} small forms work.`].join('\n'));
    else for (const folder of folders) context.out(`All results: ${shown(writeIndex(folder))}`);
    return good.length === files.length ? 0 : 1;
  },
});

interface Work {
  readonly study: ReturnType<typeof createStudy>;
  readonly experiment: Awaited<ReturnType<typeof loadExperiment>>;
  readonly words: ExecutorWords;
  readonly quick: boolean;
}

function given(words: ExecutorWords): ExecutorWords {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
}

/** Whether all claims hold that count. */
async function reproduceOne({ study, experiment, words, quick }: Work, context: CommandContext): Promise<boolean> {
  const { claims, registry, file, question } = experiment;
  const here = relative(process.cwd(), file);
  context.out(`\n${here}${question === undefined ? '' : `: ${question}`}`);
  try {
    await complete(study, registry, context, words);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.out(`not judged: ${error.message}`);
    return false;
  }
  const variants = measureVariants(study);
  const judgements = judgeClaims(claims, variants);
  const folder = quick ? join(study.folder, 'results') : resultsFolder(file);
  const record = writeResults({ study, judgements, folder, command: `athanor reproduce ${here.replaceAll('\\', '/')}${quick ? ' --quick' : ''}` });
  if (claims.length > 0 && !quick) context.out(`\n${claimsTable(record.claims)}\n`);
  if (quick) {
    const wrong = insanities(claims, variants);
    context.out(wrong.length === 0 ? 'The small form works; it says nothing about the claims.' : `The small form does not work:\n${wrong.map((line) => `  ${line}`).join('\n')}`);
    return wrong.length === 0;
  }
  refreshIndices(file);
  context.out(`${claims.length === 0 ? 'It makes no claims.' : tally(record.claims)} Results: ${shown(join(folder, 'results.md'))}`);
  return record.claims.every(({ finding, verdict }) => finding || verdict === 'holds');
}
