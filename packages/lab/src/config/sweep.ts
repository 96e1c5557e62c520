// The schema of a sweep: which variants an experiment has, in one of five ways.
import * as z from 'zod';
import { halvingSchema } from '../run/rung.ts';
import { isBlock } from './paths.ts';

const range = z
  .strictObject({
    uniform: z.tuple([z.number(), z.number()]).optional().meta({ description: 'Any number between the two, all alike' }),
    log: z.tuple([z.number().positive(), z.number().positive()]).optional().meta({ description: 'Any number between the two, all magnitudes alike' }),
    int: z.tuple([z.int(), z.int()]).optional().meta({ description: 'A whole number from the first to the second' }),
    choice: z.array(z.unknown()).min(1).optional().meta({ description: 'One of these' }),
  })
  .check(({ value, issues }) => {
    const given = Object.keys(value);
    const [kind] = given;
    const wrong = (path: string[], message: string) => issues.push({ code: 'custom', path, message, input: value });
    const misspelt = issues.some(({ code }) => code === 'unrecognized_keys');
    if (given.length !== 1 && !misspelt) wrong([], 'write one of uniform: [from, to], log: [from, to], int: [from, to], choice: […]');
    const bounds = value.uniform ?? value.log ?? value.int;
    if (kind !== undefined && bounds !== undefined && bounds[0] >= bounds[1]) wrong([kind], `goes from ${bounds[0]} to ${bounds[1]}: the second must be more`);
  });

/** What a variable of a random sweep is drawn from. */
export type Range = z.output<typeof range>;

const sampled = z.strictObject({
  samples: z.int().min(1).meta({ description: 'How many variants' }),
  seed: z.int().min(0).default(0).meta({ description: 'Of the draws, not of the runs' }),
  space: z.record(z.string(), range).meta({ description: 'Variables and what their values are drawn from' }),
});

const lists = z.record(z.string(), z.array(z.unknown()).min(1));

export const sweepWays = ['grid', 'zip', 'list', 'random', 'lhs'] as const;
export type SweepWay = (typeof sweepWays)[number];

export const sweepSchema = z
  .strictObject({
    grid: lists.optional().meta({ description: 'Variables and their values: every combination is run' }),
    zip: lists.optional().meta({ description: 'Variables and as many values for each: the first ones together, the second ones, …' }),
    list: z.array(z.record(z.string(), z.unknown())).min(1).optional().meta({ description: 'Each entry is a variant: its variables with their values' }),
    random: sampled.optional().meta({ description: 'Variants drawn at random' }),
    lhs: sampled.optional().meta({ description: 'Drawn as a Latin hypercube (McKay et al. 1979): each variable’s range is covered evenly' }),
    halving: halvingSchema.optional().meta({ description: 'Beside any way: all variants begin, and at each rung the best go on (successive halving)' }),
  })
  .check(({ value, issues }) => {
    const misspelt = issues.some(({ code }) => code === 'unrecognized_keys');
    for (const { path, message } of misspelt ? [] : sweepMistakes(value)) issues.push({ code: 'custom', path: [...path], message, input: value });
  });

export type Sweep = z.output<typeof sweepSchema>;

/** The way that a sweep takes; undefined when it names none or several. */
export function wayOf(sweep: Readonly<Record<string, unknown>>): SweepWay | undefined {
  const given = sweepWays.filter((way) => sweep[way] !== undefined);
  return given.length === 1 ? given[0] : undefined;
}

interface SweepMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function sweepMistakes(sweep: Sweep): SweepMistake[] {
  const given = sweepWays.filter((way) => sweep[way] !== undefined);
  if (given.length === 0) return [{ path: [], message: `write one of ${sweepWays.join(', ')}` }];
  const [first = '', second] = given;
  if (second !== undefined) return [{ path: [second], message: `${first} and ${second} exclude each other` }];
  const mistakes = repeated(sweep);
  const lengths = Object.entries(sweep.zip ?? {}).map(([name, values]) => ({ name, length: values.length }));
  const [model] = lengths;
  for (const { name, length } of lengths) {
    if (model !== undefined && length !== model.length) {
      mistakes.push({ path: ['zip', name], message: `has ${length} ${length === 1 ? 'value' : 'values'}, but ${JSON.stringify(model.name)} has ${model.length}: zip takes one of each` });
    }
  }
  return [...mistakes, ...hidden(sweep)];
}

/** A value that a grid has twice would run the same variants twice. */
function repeated({ grid = {}, list = [] }: Sweep): SweepMistake[] {
  const within = (values: readonly unknown[], path: readonly (string | number)[]): SweepMistake[] => {
    const texts = values.map((value) => JSON.stringify(value) ?? '');
    return texts.flatMap((text, index) => (texts.indexOf(text) < index ? [{ path: [...path, index], message: `${text} is there twice` }] : []));
  };
  return [...Object.entries(grid).flatMap(([name, values]) => within(values, ['grid', name])), ...within(list, ['list'])];
}

/** A variable that names a place inside another's (`model.norm` beside `model`) is set after it, or it has no effect. */
function hidden(sweep: Sweep): SweepMistake[] {
  const way = wayOf(sweep);
  if (way === undefined || way === 'list') return [];
  const block = way === 'random' || way === 'lhs' ? sweep[way]?.space : sweep[way];
  const names = isBlock(block) ? Object.keys(block) : [];
  const path = way === 'random' || way === 'lhs' ? [way, 'space'] : [way];
  return names.flatMap((name, index) => {
    const cover = names.slice(index + 1).find((later) => name.startsWith(`${later}.`));
    return cover === undefined ? [] : [{ path: [...path, name], message: `is overwritten by ${JSON.stringify(cover)}, which comes later: put it after` }];
  });
}
