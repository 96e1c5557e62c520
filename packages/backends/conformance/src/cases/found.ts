// Graphs that random testing once found wrong somewhere, each as small as it could be made.
import { build, combine, move, type Node } from '@athanor/core/backend';
import { add, binary, reduce } from '../compose.ts';
import { exact, type Case } from '../problem.ts';
import { leaf } from '../values.ts';

const small = { low: -3, high: 4 };
const whole = (shape: readonly number[], seed: number): Node => build.apply('floor', leaf(shape, 'float32', seed, small));
const clamp = (x: Node): Node => binary('max', binary('min', x, 8), -8);

const graphs: readonly (readonly [string, () => readonly Node[]])[] = [
  [
    'a value kept for a later stage and asked for in an earlier one',
    () => {
      const x = whole([9, 1], 151);
      const y = build.apply('max', clamp(build.apply('min', x, whole([9, 1], 152))), clamp(build.apply('min', x, whole([9, 1], 153))));
      const spread = move.expand(clamp(reduce('sum', y, 0)), [9, 1]);
      return [add(clamp(y), spread), build.apply('max', clamp(y), x)];
    },
  ],
  [
    'scatterAdd onto a view that no loop walks',
    () => {
      const base = move.reshape(move.slice(move.reshape(move.expand(whole([1, 9], 154), [15, 9]), [135]), [0], [128], [1]), [8, 4, 4]);
      return [combine.scatterAdd(base, leaf([6, 4, 4], 'int32', 155, { low: 0, high: 8 }), whole([6, 4, 4], 156), 0)];
    },
  ],
  [
    'a view materialised after a kernel that looked through it',
    () => {
      const x = leaf([1, 5, 33, 4], 'float32', 157);
      const turned = move.permute(x, [2, 0, 1, 3]);
      const chosen = build.where(move.reshape(build.cast(turned, 'bool'), x.shape), x, move.reshape(turned, x.shape));
      const part = move.slice(move.reshape(move.permute(chosen, [3, 2, 1, 0]), [660]), [314], [514], [1]);
      const integers = build.apply(
        'shr',
        build.cast(build.apply('neg', turned), 'uint8'),
        leaf([33, 1, 5, 4], 'uint8', 158, { low: 0, high: 4 }),
      );
      return [build.apply('le', leaf([10, 1, 5, 4], 'float32', 159), move.reshape(part, [10, 1, 5, 4])), reduce('prod', integers, 2, 3)];
    },
  ],
  [
    'gather by one index for a whole row, inside a sum',
    () => {
      const index = move.expand(leaf([2, 4, 1], 'int32', 162, { low: 0, high: 1 }), [2, 4, 8]);
      const taken = clamp(combine.gather(whole([2, 4, 1], 163), index, 2));
      return [reduce('sum', add(taken, whole([2, 4, 8], 164)), 1)];
    },
  ],
  [
    'gather by one index for all, then a product',
    () => {
      const index = move.expand(leaf([1, 1, 1], 'int32', 165, { low: 2, high: 3 }), [7, 2, 12]);
      const taken = combine.gather(whole([3, 2, 12], 166), index, 0);
      const batches = { batch: [[0, 0]], contract: [[1, 2]], combine: 'multiply-add' } as const;
      const x = move.reshape(move.slice(move.reshape(clamp(taken), [168]), [58], [108], [1]), [2, 5, 5]);
      return [combine.dot(x, whole([2, 11, 5], 167), batches), reduce('sum', taken, 1)];
    },
  ],
  ['padding around nothing', () => [move.pad(move.slice(leaf([1], 'float32', 160), [0], [0], [1]), [[0, 1]], 3)]],
  ['a bool padded with true', () => [move.pad(leaf([5], 'bool', 161), [[2, 1]], -1)]],
];

export function foundCases(): Case[] {
  return graphs.map(([shape, outputs]): Case => ({
    op: 'found by fuzzing',
    dtype: 'mixed',
    shape,
    direction: 'forward',
    tolerance: exact,
    build: () => ({ outputs: outputs() }),
  }));
}
