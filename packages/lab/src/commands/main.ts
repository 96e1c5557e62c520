// The command line: words to commands, errors to messages and exit codes.
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import yargs from 'yargs';
import { ComponentFault } from '../run/guard.ts';
import { explainSystemError } from '../run/system-errors.ts';
import type { ProgressStream } from '../terminal/progress.ts';
import { bench } from './bench.ts';
import { sharedOptions } from './command.ts';
import type { Command } from './command.ts';
import { compare } from './compare.ts';
import { runsFolder } from './context.ts';
import { doctor } from './doctor.ts';
import { exportRun } from './export.ts';
import { init } from './init.ts';
import { list } from './list.ts';
import { plan } from './plan.ts';
import { report } from './report.ts';
import { reproduce } from './reproduce.ts';
import { resume } from './resume.ts';
import { run } from './run.ts';
import { schema } from './schema.ts';
import { show } from './show.ts';
import { ui } from './ui.ts';
import { worker } from './worker.ts';
import { why } from './why.ts';

const commands: readonly Command[] = [
  run,
  resume,
  reproduce,
  compare,
  report,
  exportRun,
  ui,
  list,
  doctor,
  plan,
  why,
  show,
  init,
  schema,
  bench,
  worker,
];

export interface Terminal {
  /** Writes a line of results. */
  readonly out: (text: string) => void;
  /** Writes a line about a mistake. */
  readonly error: (text: string) => void;
  readonly progress: ProgressStream;
  /** Whether the process was started for this command alone. */
  readonly ownsProcess?: boolean;
}

/**
 * Runs one command and returns the exit code: 0 done, 1 a fault of the program or an answer that
 * is no, 2 a mistake of the user's.
 */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const parser = yargs([...words])
    .scriptName('athanor')
    .usage('$0 <command>\n\nRuns declarative experiments on neural networks.')
    .options(sharedOptions);
  for (const command of commands) {
    command.register(
      parser,
      (options) => ({
        out: terminal.out,
        progress: terminal.progress,
        ownsProcess: terminal.ownsProcess === true,
        runs: runsFolder(options.runs),
        dataDir: options['data-dir'],
      }),
      (result) => { code = result; },
    );
  }
  parser
    .demandCommand(1, 'which command? athanor --help lists them')
    .strict()
    .wrap(100)
    .version(false)
    .help()
    .exitProcess(false)
    .fail((message: string | null, error: unknown) => {
      throw error instanceof Error && !isUsageError(error) ? error : new UserError(explainUsage(message ?? String(error), words));
    });
  try {
    await parser.parseAsync(words, {}, (_error: unknown, _options: unknown, output: string) => {
      if (output !== '') terminal.out(output);
    });
    return code;
  } catch (thrown) {
    const error = explainSystemError(thrown);
    const debug = words.includes('--debug');
    if (error instanceof UserError) {
      terminal.error(debug && error.stack !== undefined ? error.stack : error.message);
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    const stack = debug && error instanceof Error ? error.stack : undefined;
    terminal.error(stack ?? `${error instanceof ComponentFault ? '' : 'internal error: '}${message} (--debug shows where)`);
    return 1;
  }
}

function explainUsage(message: string, words: readonly string[]): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message)?.[1];
  const known = [...commands.flatMap((command) => command.known), ...Object.keys(sharedOptions), 'help'];
  if (unknown !== undefined) {
    const [first = ''] = unknown.split(', ');
    const command = message.startsWith('Unknown command') || !commands.some(({ known: [name] }) => words.includes(name ?? ''));
    const near = didYouMean(first, known) || `: athanor ${command ? '' : `${words[0] ?? ''} `}--help lists them`;
    return `unknown ${command ? 'command' : 'option'} ${JSON.stringify(first)}${near}`;
  }
  return message.startsWith('Not enough non-option') ? 'a word is missing: athanor <command> --help shows which' : message;
}

/** yargs' own errors say what is wrong with the words. */
function isUsageError(error: Error): boolean {
  return error.name === 'YError';
}
