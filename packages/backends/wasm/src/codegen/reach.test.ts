// What the first units of a kernel read, against a walk over all its positions.
import type { Affine, Instruction, LoopKernel } from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { reachOf, type OutermostLevel } from './reach.ts';

const loops = [6, 4, 8];
const kernel = (...indices: Affine[]): LoopKernel => ({
  kind: 'loop', name: 'reads', loops, outer: 3, vector: 2, rows: [], scatters: false,
  buffers: [{ dtype: 'float32', access: 'read' }],
  instructions: indices.map((index): Instruction => ({ op: 'load', buffer: 0, index, guards: [], fill: 0, dtype: 'float32' })),
  stages: indices.map(() => 0),
});

/** Steps all of whose accesses, and those of the steps before, lie below `elements`. */
function walk(indices: readonly Affine[], { loop, width, steps }: OutermostLevel, elements: number): number {
  const furthest = Array.from({ length: steps }, () => -Infinity);
  for (let i = 0; i < 6; i++) for (let j = 0; j < 4; j++) for (let k = 0; k < 8; k++) {
    const position = [i, j, k];
    const step = Math.floor((position[loop] ?? 0) / width);
    for (const { offset, strides } of indices) {
      const index = strides.reduce((sum, stride, l) => sum + stride * (position[l] ?? 0), offset);
      furthest[step] = Math.max(furthest[step] ?? -Infinity, index);
    }
  }
  const first = furthest.findIndex((index) => index >= elements);
  return first < 0 ? steps : first;
}

const rows: Affine = { offset: 0, strides: [32, 8, 1] };
const reversed: Affine = { offset: 160, strides: [-32, 8, 1] };
const transposed: Affine = { offset: 0, strides: [1, 6, 24] };
const shifted: Affine = { offset: -20, strides: [32, 8, 1] };
const everywhere: Affine = { offset: 3, strides: [0, 8, 1] };

describe('reachOf', () => {
  it.each([
    { name: 'rows', indices: [rows] },
    { name: 'rows from the last', indices: [reversed] },
    { name: 'rows from both ends', indices: [rows, reversed] },
    { name: 'columns', indices: [transposed] },
    { name: 'rows from before the start', indices: [shifted] },
    { name: 'the same for all', indices: [everywhere, rows] },
  ])('counts the steps that need no more: $name', ({ indices }) => {
    for (const level of [{ loop: 0, width: 1, steps: 6 }, { loop: 2, width: 2, steps: 4 }]) {
      const reach = reachOf(kernel(...indices), level);
      const elements = Array.from({ length: 193 }, (_, i) => i);
      const counted = elements.map((count) => reach.stepsWith(0, count));
      expect(counted.filter((steps, i) => steps > walk(indices, level, i))).toEqual([]);
      expect(counted.at(-1)).toBe(level.steps);
    }
  });

  it('is exact where steps lie one after the other', () => {
    const reach = reachOf(kernel(rows), { loop: 0, width: 1, steps: 6 });
    expect([0, 31, 32, 63, 64, 191, 192].map((elements) => reach.stepsWith(0, elements))).toEqual([0, 0, 1, 1, 2, 5, 6]);
  });
});
