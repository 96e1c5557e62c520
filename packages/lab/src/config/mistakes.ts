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

/** Without repetitions, in the order of the file; the command line's come last. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const distinct = new Map(mistakes.map((mistake) => [`${mistake.place} ${mistake.message}`, mistake]));
  const position = ({ place }: Mistake) => {
    const match = /:(\d+):(\d+)$/.exec(place);
    return match === null ? Infinity : Number(match[1]) * 1e4 + Number(match[2]);
  };
  return [...distinct.values()].toSorted((a, b) => (position(a) === position(b) ? 0 : position(a) - position(b)));
}
