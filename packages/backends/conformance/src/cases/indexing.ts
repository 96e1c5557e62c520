// gather and scatterAdd with duplicates, views and indices out of range; iota; random bits.
import { build, combine, elementCount, move, type Dtype, type Node, type Shape } from '@athanor/core/backend';
import { add, mul, reduce, relu, sub } from '../compose.ts';
import { exact, type Case, type Tolerance } from '../problem.ts';
import { given, leaf } from '../values.ts';
import { filled } from '../views.ts';
import { backward, forward } from './make.ts';

interface Layout {
  readonly name: string;
  readonly shape: Shape;
  readonly index: Shape;
  readonly axis: number;
}

const layouts: readonly Layout[] = [
  { name: 'a vector', shape: [9], index: [23], axis: 0 },
  { name: 'one element', shape: [1], index: [5], axis: 0 },
  { name: 'rows', shape: [6, 5], index: [11, 5], axis: 0 },
  { name: 'columns', shape: [6, 5], index: [6, 3], axis: 1 },
  { name: 'fewer rows and columns', shape: [6, 5, 4], index: [4, 7, 3], axis: 1 },
  { name: 'the last axis of three', shape: [3, 4, 33], index: [3, 4, 40], axis: 2 },
  { name: 'no index', shape: [6, 5], index: [0, 5], axis: 0 },
  { name: 'many', shape: [50, 8], index: [2000, 8], axis: 0 },
];

const dtypes: readonly Dtype[] = ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'];
const sums: Tolerance = { ulps: 16, scale: 8 };

const indexLeaf = ({ shape, index, axis }: Layout, seed = 101): Node => leaf(index, 'int32', seed, { low: 0, high: shape[axis] ?? 1 });

function layoutCases(): Case[] {
  const withoutBool = dtypes.filter((dtype) => dtype !== 'bool');
  return layouts.flatMap((layout) => {
    const { name: shape, axis } = layout;
    const gathers = dtypes.map((dtype) =>
      forward({ op: 'gather', dtype, shape, tolerance: exact }, () => [
        combine.gather(leaf(layout.shape, dtype, 102), indexLeaf(layout), axis),
      ]),
    );
    const scatters = withoutBool.map((dtype) =>
      forward({ op: 'scatterAdd', dtype, shape, tolerance: sums }, () => {
        const [base, source] = [leaf(layout.shape, dtype, 103), leaf(layout.index, dtype, 104)];
        return [combine.scatterAdd(base, indexLeaf(layout), source, axis)];
      }),
    );
    const about = { dtype: 'float32', shape, tolerance: { ulps: 64, scale: 16 } } as const;
    const gatherGradient = backward({ ...about, op: 'gather' }, () => {
      const x = leaf(layout.shape, 'float32', 105);
      return [mul(combine.gather(x, indexLeaf(layout), axis), 2), x];
    });
    const scatterGradient = backward({ ...about, op: 'scatterAdd' }, () => {
      const [base, source] = [leaf(layout.shape, 'float32', 106), leaf(layout.index, 'float32', 107)];
      const y = combine.scatterAdd(base, indexLeaf(layout), source, axis);
      return [mul(y, y), base, source];
    });
    return [...gathers, ...scatters, gatherGradient, scatterGradient];
  });
}

const someIndex = (): Node => leaf([7, 4], 'int32', 108, { low: 0, high: 6 });

/** The first place of each row's maximum. */
function positionOfMaximum(): readonly Node[] {
  const x = leaf([9, 33], 'float32', 116);
  const place = move.expand(move.reshape(build.iota(33), [1, 33]), [9, 33]);
  const top = build.apply('eq', x, move.expand(reduce('maxReduce', x, 1), [9, 33]));
  return [reduce('minReduce', build.where(top, place, filled(33, [9, 33], 'int32')), 1)];
}

function triangle(): readonly Node[] {
  const row = move.expand(move.reshape(build.iota(9), [9, 1]), [9, 9]);
  const column = move.expand(move.reshape(build.iota(9), [1, 9]), [9, 9]);
  return [build.where(build.apply('le', column, row), leaf([9, 9], 'float32', 117), filled(0, [9, 9], 'float32'))];
}

/** Around gather and scatterAdd. */
const surroundings: readonly (readonly [string, () => readonly Node[]])[] = [
  ['gather from an expression', () => [combine.gather(relu(leaf([6, 4], 'float32', 109)), someIndex(), 0)]],
  ['gather from a transposed table', () => [combine.gather(move.permute(leaf([4, 6], 'float32', 109), [1, 0]), someIndex(), 0)]],
  [
    'gather from a padded table',
    () => [
      combine.gather(
        move.pad(
          leaf([3, 4], 'float32', 109),
          [
            [1, 2],
            [0, 0],
          ],
          5,
        ),
        someIndex(),
        0,
      ),
    ],
  ],
  [
    'gather by a computed index',
    () => [combine.gather(leaf([6, 4], 'float32', 109), build.apply('mod', add(someIndex(), 3), filled(6, [7, 4], 'int32')), 0)],
  ],
  [
    'gather by an expanded index: embedding',
    () => [combine.gather(leaf([6, 4], 'float32', 109), move.expand(leaf([7, 1], 'int32', 110, { low: 0, high: 6 }), [7, 4]), 0)],
  ],
  [
    'gather of a gather',
    () => [
      combine.gather(combine.gather(leaf([6, 4], 'float32', 109), someIndex(), 0), leaf([3, 4], 'int32', 111, { low: 0, high: 7 }), 0),
    ],
  ],
  ['gather, then an expression and a sum', () => [reduce('sum', mul(combine.gather(leaf([6, 4], 'float32', 109), someIndex(), 0), 3), 0)]],
  [
    'padded, flipped gather',
    () => [
      move.pad(
        move.flip(combine.gather(leaf([6, 4], 'float32', 109), someIndex(), 0), [0]),
        [
          [1, 1],
          [2, 0],
        ],
        -1,
      ),
    ],
  ],
  [
    'scatterAdd into zeros by an expanded index',
    () => [
      combine.scatterAdd(
        filled(0, [6, 4], 'float32'),
        move.expand(leaf([7, 1], 'int32', 112, { low: 0, high: 6 }), [7, 4]),
        leaf([7, 4], 'float32', 113),
        0,
      ),
    ],
  ],
  [
    'scatterAdd of expressions',
    () => [combine.scatterAdd(mul(leaf([6, 4], 'float32', 109), 2), someIndex(), sub(leaf([7, 4], 'float32', 113), 1), 0)],
  ],
  [
    'scatterAdd of a transposed source',
    () => [combine.scatterAdd(leaf([6, 4], 'float32', 109), someIndex(), move.permute(leaf([4, 7], 'float32', 113), [1, 0]), 0)],
  ],
  [
    'scatterAdd, then an expression',
    () => [relu(combine.scatterAdd(leaf([6, 4], 'float32', 109), someIndex(), leaf([7, 4], 'float32', 113), 0))],
  ],
  [
    'scatterAdd twice',
    () => [
      combine.scatterAdd(
        combine.scatterAdd(leaf([6, 4], 'float32', 109), someIndex(), leaf([7, 4], 'float32', 113), 0),
        someIndex(),
        leaf([7, 4], 'float32', 114),
        0,
      ),
    ],
  ],
  ['all into one place', () => [combine.scatterAdd(filled(0, [3], 'float32'), filled(1, [500], 'int32'), leaf([500], 'float32', 115), 0)]],
  ['iota of a computed shape', () => [add(move.expand(move.reshape(build.iota(5), [5, 1]), [5, 7]), move.reshape(build.iota(7), [1, 7]))]],
  ['iota, permuted and sliced', () => [move.slice(move.permute(move.reshape(build.iota(24), [4, 6]), [1, 0]), [1, 0], [6, 4], [2, 3])]],
  ['iota, padded', () => [move.pad(build.iota(9), [[2, 3]], -1)]],
  ['the position of a maximum', positionOfMaximum],
  ['a triangle', triangle],
];

function surroundingCases(): Case[] {
  return surroundings.map(([shape, outputs]) =>
    forward({ op: 'indexing in a graph', dtype: 'mixed', shape, tolerance: { ulps: 64, scale: 16 } }, outputs),
  );
}

/** Out of range: the run fails, after clamping or dropping; the next run is not touched by it. */
function outOfRangeCases(): Case[] {
  const wrong: readonly (readonly [string, readonly number[]])[] = [
    ['−1', [0, -1, 2]],
    ['the size', [0, 6, 2]],
    ['far away', [0, 2147483647, -2147483648]],
  ];
  const failing = (item: Case): Case => ({ ...item, build: () => ({ ...item.build(), outOfRange: true, runs: 2 }) });
  return wrong.flatMap(([shape, values]) => {
    const about = { dtype: 'float32', shape, tolerance: exact } as const;
    const index = (): Node => given(values, 'int32');
    return [
      failing(forward({ ...about, op: 'gather out of range' }, () => [combine.gather(leaf([6], 'float32', 118), index(), 0)])),
      failing(
        forward({ ...about, op: 'scatterAdd out of range' }, () => [
          combine.scatterAdd(leaf([6], 'float32', 119), index(), leaf([3], 'float32', 120), 0),
        ]),
      ),
    ];
  });
}

const shapes: readonly Shape[] = [[], [1], [2], [7], [1030], [3, 5, 7], [4097], [0], [129, 65]];

const randomKey = (): Node => given([0x13198a2e, -1553186300], 'int32');
const bits = (shape: Shape, counter: number): Node => build.randomBits(randomKey(), given([counter], 'int32', []), shape);

/** 24 bits of each word, in [0, 1). */
const uniform = (shape: Shape, counter: number): Node =>
  mul(build.cast(build.apply('ushr', bits(shape, counter), filled(8, shape, 'int32')), 'float32'), 2 ** -24);

function randomCases(): Case[] {
  return shapes.flatMap((shape) => {
    const name = `[${shape.join(', ')}]`;
    const count = elementCount(shape);
    const about = { dtype: 'int32', shape: name, tolerance: exact } as const;
    return [
      ...[0, 1, -5].map((counter) =>
        forward({ ...about, op: 'randomBits', shape: `${name}, draw ${counter}` }, () => [bits(shape, counter)]),
      ),
      forward({ ...about, op: 'uniform numbers from random bits', dtype: 'float32' }, () => [uniform(shape, 3)]),
      backward({ ...about, op: 'dropout from random bits', dtype: 'float32', tolerance: { ulps: 4, scale: 4 } }, () => {
        const x = leaf(shape, 'float32', 121);
        const kept = build.apply('lt', uniform(shape, 4), filled(0.75, shape, 'float32'));
        return [mul(build.where(kept, x, filled(0, shape, 'float32')), 1 / 0.75), x];
      }),
      forward({ ...about, op: 'random bits, moved' }, () => {
        const reversed = move.permute(
          bits(shape, 5),
          shape.map((_, i) => shape.length - 1 - i),
        );
        const padded = move.pad(move.reshape(bits(shape, 5), [count]), [[1, 0]], 0);
        return [reversed, reduce('maxReduce', padded, 0)];
      }),
    ];
  });
}

export function indexingCases(): Case[] {
  return [...layoutCases(), ...surroundingCases(), ...outOfRangeCases(), ...randomCases()];
}
