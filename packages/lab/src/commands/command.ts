// What a command of `athanor` is: its words as data, and what it does with them.
import type { Argv, InferredOptionTypes, Options, PositionalOptions } from 'yargs';
import type { CommandContext } from './context.ts';

/** Options that every command takes. */
export const sharedOptions = {
  runs: { type: 'string', describe: 'folder of all runs (default: runs)' },
  'data-dir': { type: 'string', describe: 'folder of large data sets' },
  debug: { type: 'boolean', default: false, describe: 'show the stack of an error' },
} as const satisfies Record<string, Options>;

export type SharedOptions = InferredOptionTypes<typeof sharedOptions>;

export interface CommandDefinition<Positionals extends Record<string, PositionalOptions>, Named extends Record<string, Options>> {
  /** The words, e.g. `run <experiment> [overrides..]`. */
  readonly usage: string;
  readonly summary: string;
  readonly positionals?: Positionals;
  readonly options?: Named;
  /** Lines that `--help` shows, with `$0` for the program, each with what it does. */
  readonly examples?: readonly (readonly [line: string, does: string])[];
  /** Returns the exit code, 0 by default. */
  run(words: InferredOptionTypes<Positionals> & InferredOptionTypes<Named>, context: CommandContext): number | void | Promise<number | void>;
}

export interface Command {
  /** The words that `athanor` knows by it: its name and its options. */
  readonly known: readonly string[];
  /** Adds it to a parser; `done` is given its exit code. */
  register(parser: Argv, context: (options: SharedOptions) => CommandContext, done: (code: number) => void): void;
}

/** Types a command's words from their description; `main.ts` lists all commands. */
export function defineCommand<
  const Positionals extends Record<string, PositionalOptions> = Record<never, never>,
  const Named extends Record<string, Options> = Record<never, never>,
>(definition: CommandDefinition<Positionals, Named>): Command {
  const { usage, summary, positionals, options, examples = [] } = definition;
  return {
    known: [usage.split(' ')[0] ?? '', ...Object.keys(options ?? {})],
    register(parser, context, done) {
      parser.command(
        usage,
        summary,
        (words) => {
          for (const [name, described] of Object.entries(positionals ?? {})) words.positional(name, described);
          return words.options(options ?? {}).example(examples.map(([line, does]) => [line, does] as [string, string]));
        },
        async (words) => {
          const typed = words as unknown as Parameters<typeof definition.run>[0] & SharedOptions & { dataDir: string | undefined };
          const code = await definition.run(typed, context({ ...typed, 'data-dir': typed.dataDir }));
          // What returns nothing may still hand on what a terminal's write returns.
          done(typeof code === 'number' ? code : 0);
        },
      );
    },
  };
}
