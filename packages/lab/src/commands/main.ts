// The command line: words to commands, errors to messages and exit codes.
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import yargs from 'yargs';
import type { ProgressStream } from '../terminal/progress.ts';
import { runsFolder } from './context.ts';
import type { CommandContext } from './context.ts';
import { doctorCommand } from './doctor.ts';
import { listCommand } from './list.ts';
import { reportCommand } from './report.ts';
import { resumeCommand, runCommand } from './run.ts';

export interface Terminal {
  /** Writes a line of results. */
  readonly out: (text: string) => void;
  /** Writes a line about a mistake. */
  readonly error: (text: string) => void;
  readonly progress: ProgressStream;
  /** Whether the process was started for this command alone. */
  readonly ownsProcess?: boolean;
}

const runExamples = [
  ['$0 run experiments/quickstart.yaml', 'run every variant, or go on where it stopped'],
  ['$0 run experiments/quickstart.yaml norm=layer seeds=[0,1,2]', 'other values'],
] as const;

/**
 * Runs one command and returns the exit code: 0 done, 1 a fault of the program, 2 a mistake of
 * the user's.
 */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  const context = (options: { runs: string | undefined; dataDir: string | undefined }): CommandContext => ({
    out: terminal.out,
    progress: terminal.progress,
    ownsProcess: terminal.ownsProcess === true,
    runs: runsFolder(options.runs),
    dataDir: options.dataDir,
  });
  const parser = yargs([...words])
    .scriptName('athanor')
    .usage('$0 <command>\n\nRuns declarative experiments on neural networks.')
    .option('runs', { type: 'string', describe: 'folder of all runs (default: runs)' })
    .option('data-dir', { type: 'string', describe: 'folder of large data sets' })
    .option('debug', { type: 'boolean', default: false, describe: 'show the stack of an error' })
    .command(
      'run <experiment> [overrides..]',
      'run an experiment file',
      (command) =>
        command
          .positional('experiment', { type: 'string', demandOption: true, describe: 'YAML file' })
          .positional('overrides', { type: 'string', array: true, default: [], describe: 'key=value, e.g. train.steps=100' })
          .option('fresh', { type: 'boolean', default: false, describe: 'do not go on with a run that is there' })
          .example(runExamples.map(([line, text]) => [line, text] as [string, string])),
      (options) => runCommand(options.experiment, options.overrides, options.fresh, context(options)),
    )
    .command(
      'resume <run>',
      'go on with a run that was stopped or killed',
      (command) => command.positional('run', { type: 'string', demandOption: true, describe: 'name or folder' }),
      (options) => resumeCommand(options.run, context(options)),
    )
    .command(
      'report <run>',
      'write the HTML report of a run',
      (command) => command.positional('run', { type: 'string', demandOption: true, describe: 'name or folder' }),
      (options) => reportCommand(options.run, context(options)),
    )
    .command(
      'ls [what]',
      'list runs or components',
      (command) =>
        command
          .positional('what', { type: 'string', default: 'runs', describe: 'runs or components' })
          .option('kind', { type: 'string', describe: 'only components of this kind' })
          .option('plugin', { type: 'string', array: true, default: [], describe: 'a plugin to load besides' })
          .option('json', { type: 'boolean', default: false, describe: 'as JSON, with each JSON Schema' }),
      (options) => listCommand(options.what, { kind: options.kind, json: options.json, plugins: options.plugin }, context(options)),
    )
    .command(
      'doctor [experiment]',
      'check what this machine has, or what an experiment needs',
      (command) => command.positional('experiment', { type: 'string', describe: 'YAML file' }),
      (options) => doctorCommand(options.experiment, context(options)),
    )
    .demandCommand(1, 'which command? athanor --help lists them')
    .strict()
    .wrap(100)
    .version(false)
    .help()
    .exitProcess(false)
    .fail((message: string | null, error: unknown) => {
      throw error instanceof Error && !isUsageError(error) ? error : new UserError(explainUsage(message ?? String(error)));
    });
  try {
    await parser.parseAsync(words, {}, (_error: unknown, _options: unknown, output: string) => {
      if (output !== '') terminal.out(output);
    });
    return 0;
  } catch (error) {
    const debug = words.includes('--debug');
    if (error instanceof UserError) {
      terminal.error(debug && error.stack !== undefined ? error.stack : error.message);
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    const stack = debug && error instanceof Error ? error.stack : undefined;
    terminal.error(stack ?? `internal error: ${message} (--debug shows where)`);
    return 1;
  }
}

const known = ['run', 'resume', 'report', 'ls', 'doctor', 'fresh', 'runs', 'data-dir', 'debug', 'kind', 'plugin', 'json', 'help'];

function explainUsage(message: string): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message)?.[1];
  if (unknown !== undefined) return `unknown ${JSON.stringify(unknown)}${didYouMean(unknown, known)}`;
  return message.startsWith('Not enough non-option') ? 'a word is missing: athanor <command> --help shows which' : message;
}

/** yargs' own errors say what is wrong with the words. */
function isUsageError(error: Error): boolean {
  return error.name === 'YError';
}
