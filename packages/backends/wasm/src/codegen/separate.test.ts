// One reduction a stage: what moves, what stays together, what is left alone.
import { inputsOf, lower, type Affine, type Instruction } from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { separateReductions } from './separate.ts';

const along: Affine = { offset: 0, strides: [64, 1] };
const once: Affine = { offset: 0, strides: [1, 0] };
const load = (buffer: number): Instruction => ({ op: 'load', buffer, index: along, guards: [], fill: 0, dtype: 'float32' });
const sum = (input: number): Instruction => ({ op: 'reduce', combine: 'sum', input, dtype: 'float32' });
const multiply = (...inputs: number[]): Instruction => ({ op: 'elementwise', name: 'mul', inputs, dtype: 'float32' });
const store = (buffer: number, input: number, index: Affine): Instruction => ({ op: 'store', buffer, index, input, dtype: 'float32' });

/** Σ x, Σ x · y and the stored x · y in stage 1; the sums' product in stage 2. */
const body = lower(
  [load(0), load(1), multiply(0, 1), sum(0), sum(2), store(2, 2, along), multiply(3, 4), store(3, 6, once)],
  [1, 1, 1, 1, 1, 1, 2, 2],
);

describe('separateReductions', () => {
  const separated = separateReductions(body);
  const opsOf = (stage: number) => separated.instructions.flatMap(({ op }, i) => (separated.stages[i] === stage ? [op] : []));

  it('gives each reduction a stage with what it needs, and the one that shares most with them the stores', () => {
    expect([1, 2, 3, 4].map(opsOf)).toEqual([['load', 'reduce'], [], ['load', 'load', 'elementwise', 'reduce', 'store'], ['elementwise', 'store']]);
  });

  it('lets inner values be used in their own stage only', () => {
    const wrong = separated.instructions.flatMap((instruction, i) =>
      inputsOf(instruction).filter((input) => {
        const [own = -1, from = -1] = [separated.stages[i], separated.stages[input]];
        const isInner = from % 2 === 1 && separated.instructions[input]?.op !== 'reduce';
        return input >= i || (isInner ? own !== from : own < from);
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('leaves stages with one reduction as they are', () => {
    const single = lower([load(0), sum(0), store(1, 1, once)], [1, 1, 2]);
    expect(separateReductions(single)).toEqual(single);
    expect(separateReductions(separated)).toEqual(separated);
  });
});
