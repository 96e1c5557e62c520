// Shapes as assertions: `x.expect('B C 28 28')` checks numbers, and names against each other.
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { describe } from '../graph/create.ts';
import type { Shape } from '../shape.ts';

/**
 * Checks a shape against a pattern of numbers, names (equal names must have equal sizes), `_` (any size) and `...`
 * (any axes), and returns the sizes by name. `known` holds sizes that names have already.
 */
export function matchShape(pattern: string, shape: Shape, known: Readonly<Record<string, number>> = {}): Record<string, number> {
  const words = pattern.trim().split(/\s+/).filter((word) => word !== '');
  const ellipsis = words.indexOf('...');
  const fits = ellipsis < 0 ? words.length === shape.length : words.length - 1 <= shape.length;
  const fail = (why: string): never => {
    throw new ShapeError(`${describe('expect')}: shape ${formatShape(shape)} is not "${pattern}": ${why}`);
  };
  if (!fits) fail(`it has ${shape.length} axes`);
  const sizes: Record<string, number> = { ...known };
  for (const [i, word] of words.entries()) {
    if (word === '...' || word === '_') continue;
    const axis = ellipsis >= 0 && i > ellipsis ? shape.length - words.length + i : i;
    const size = shape[axis] ?? 0;
    if (/^\d+$/.test(word)) {
      if (size !== Number(word)) fail(`axis ${axis} has size ${size}`);
    } else if (/^[A-Za-z]\w*$/.test(word)) {
      const expected = sizes[word];
      if (expected !== undefined && expected !== size) fail(`${word} is ${expected}, but axis ${axis} has size ${size}`);
      sizes[word] = size;
    } else {
      throw new UserError(`${describe('expect')}: cannot read "${word}" in "${pattern}"`, { remedy: 'use numbers, names, _ and ...' });
    }
  }
  return sizes;
}
