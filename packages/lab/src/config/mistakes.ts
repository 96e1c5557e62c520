// All mistakes of a config, told at once, one line each.
import { UserError } from '@athanor/core';
import type { Mistake } from './document.ts';

/** Thrown with every mistake found; the message has one line for each. */
export class ConfigError extends UserError {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    const sorted = inOrder(mistakes);
    super(sorted.map(({ place, message }) => `${place} ${message}`).join('\n'));
    this.mistakes = sorted;
  }
}

/** Without repetitions, file by file, in the order of each file; what has no line comes last. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const distinct = [...new Map(mistakes.map((mistake) => [`${mistake.place} ${mistake.message}`, mistake])).values()];
  const positions = new Map(distinct.map((mistake) => [mistake, /^(.*):(\d+):(\d+)$/.exec(mistake.place)]));
  const files = [...new Set(distinct.map((mistake) => positions.get(mistake)?.[1]))];
  const position = (mistake: Mistake): readonly number[] => {
    const [, file, line, column] = positions.get(mistake) ?? [];
    return file === undefined ? [Infinity, 0, 0] : [files.indexOf(file), Number(line), Number(column)];
  };
  return distinct.toSorted((a, b) => compare(position(a), position(b)));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}
