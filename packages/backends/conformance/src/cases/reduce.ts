// Reductions: every size around the lanes, every axis, every view; and pooling, which is a reduction of windows.
import { build, elementCount, move, type Dtype, type Node, type ReduceOp, type Shape } from '@athanor/core/backend';
import { add, mul, reduce, relu, withGradients } from '../compose.ts';
import { exact, type Case, type Tolerance } from '../problem.ts';
import { leaf, type Range } from '../values.ts';
import { operandOf, viewShapes } from '../views.ts';

const operations = ['sum', 'prod', 'maxReduce', 'minReduce'] as const satisfies readonly ReduceOp[];

interface Layout {
  readonly name: string;
  readonly shape: Shape;
  readonly axes: readonly number[];
}

const layouts: readonly Layout[] = [
  ...[1, 31, 32, 33, 1000, 4097].flatMap((size): Layout[] => [
    { name: `all of ${size}`, shape: [size], axes: [0] },
    { name: `last axis of ${size}`, shape: [3, size], axes: [1] },
    { name: `first axis of ${size}`, shape: [size, 5], axes: [0] },
    { name: `middle axis of ${size}`, shape: [2, size, 3], axes: [1] },
    { name: `first and last axes around ${size}`, shape: [3, size, 2], axes: [0, 2] },
  ]),
  { name: 'first axis, many columns', shape: [70, 333], axes: [0] },
  { name: 'last axis, many rows', shape: [333, 70], axes: [1] },
  { name: 'axes 0, 2, 3 of an image batch', shape: [4, 3, 9, 11], axes: [0, 2, 3] },
  { name: 'axes 1 and 3', shape: [3, 4, 5, 6], axes: [1, 3] },
  { name: 'all axes', shape: [5, 7, 33], axes: [0, 1, 2] },
];

/** Reductions of nothing, and to nothing. */
const empty: readonly Layout[] = [
  { name: 'an empty axis', shape: [3, 0], axes: [1] },
  { name: 'all of nothing', shape: [0, 4], axes: [0, 1] },
];

function rangeOf(op: ReduceOp, dtype: Dtype): Range | undefined {
  if (op === 'prod' && (dtype === 'float32' || dtype === 'float64')) return { low: 0.97, high: 1.03 };
  return op === 'prod' ? { low: 1, high: 4 } : undefined;
}

function toleranceOf(op: ReduceOp, count: number): Tolerance {
  if (op === 'sum') return { ulps: 4, scale: count };
  return op === 'prod' ? { ulps: 4 + count / 4 } : exact;
}

function dtypesOf(op: ReduceOp): readonly Dtype[] {
  return op === 'sum' || op === 'prod'
    ? ['float32', 'float64', 'int32', 'uint8', 'int8']
    : ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'];
}

function plainCase(op: ReduceOp, dtype: Dtype, { name, shape, axes }: Layout): Case {
  const count = elementCount(axes.map((axis) => shape[axis] ?? 1));
  const range = rangeOf(op, dtype);
  return {
    op,
    dtype,
    shape: name,
    direction: 'forward',
    tolerance: toleranceOf(op, count),
    build: () => ({ outputs: [reduce(op, range ? leaf(shape, dtype, 31, range) : leaf(shape, dtype, 31), ...axes)] }),
  };
}

/** Over the first, the last and all axes of a view. */
function viewCases(op: ReduceOp, dtype: Dtype): Case[] {
  const range = rangeOf(op, dtype);
  return viewShapes.flatMap((shape) =>
    (['first axis', 'last axis', 'all axes'] as const).map((which): Case => {
      const over = (x: Node): Node => {
        const last = x.shape.length - 1;
        return reduce(op, x, ...(which === 'first axis' ? [0] : which === 'last axis' ? [last] : x.shape.map((_, axis) => axis)));
      };
      return {
        op,
        dtype,
        shape: `${which} of ${shape.name}`,
        direction: 'forward',
        tolerance: toleranceOf(op, 600),
        build: () => ({ outputs: [over(operandOf(shape, dtype, { seed: 32, range }).value)] }),
      };
    }),
  );
}

function backwardCases(op: ReduceOp): Case[] {
  const dtype = 'float32';
  const plain = layouts
    .filter(({ shape }) => op !== 'prod' || elementCount(shape) < 500)
    .map(({ name, shape, axes }): Case => ({
      op,
      dtype,
      shape: name,
      direction: 'backward',
      tolerance: { ulps: 2000, scale: 1 },
      build() {
        const x = leaf(shape, dtype, 33, rangeOf(op, dtype) ?? { low: -2, high: 2 });
        return withGradients(reduce(op, x, ...axes), [x]);
      },
    }));
  const views = viewShapes.map((shape): Case => ({
    op,
    dtype,
    shape: `last axis of ${shape.name}`,
    direction: 'backward',
    tolerance: { ulps: 200, scale: 1 },
    build() {
      const { source, value } = operandOf(shape, dtype, { seed: 34, range: rangeOf(op, dtype) });
      return withGradients(reduce(op, value, value.shape.length - 1), [source]);
    },
  }));
  return [...plain, ...views];
}

interface Pooling {
  readonly name: string;
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
}

const poolings: readonly Pooling[] = [
  { name: '2×2', size: 2, stride: 2, padding: 0 },
  { name: '2×2 with a rest', size: 2, stride: 3, padding: 0 },
  { name: '3×3, stride 2, padding 1', size: 3, stride: 2, padding: 1 },
  { name: '5×5, stride 1, padding 2', size: 5, stride: 1, padding: 2 },
];

/** [N, C, H, W] → windows [N, C, H', W', size, size]. */
export function imageWindows(x: Node, { size, stride, padding }: Pooling, fill: number): Node {
  const padded = move.pad(
    x,
    [
      [0, 0],
      [0, 0],
      [padding, padding],
      [padding, padding],
    ],
    fill,
  );
  return move.window(move.window(padded, 2, { size, stride }), 3, { size, stride });
}

function poolingCases(): Case[] {
  return poolings.flatMap((pooling) =>
    (['maxReduce', 'sum'] as const).flatMap((op) =>
      (['forward', 'backward'] as const).map((direction): Case => ({
        op: op === 'sum' ? 'average pooling' : 'max pooling',
        dtype: 'float32',
        shape: pooling.name,
        direction,
        tolerance: op === 'sum' || direction === 'backward' ? { ulps: 4, scale: 50 } : exact,
        build() {
          const x = leaf([2, 3, 13, 12], 'float32', 35);
          const y = reduce(op, imageWindows(x, pooling, op === 'sum' ? 0 : -Infinity), 4, 5);
          return direction === 'forward' ? { outputs: [y] } : withGradients(y, [x]);
        },
      })),
    ),
  );
}

/** What stands before and after a reduction goes into the same kernel. */
function fusedCases(): Case[] {
  const graphs: readonly (readonly [string, (x: Node) => Node])[] = [
    ['of an expression, then an expression', (x) => relu(add(reduce('sum', mul(x, x), 1), -20))],
    ['of a reduction over the other axis', (x) => reduce('sum', reduce('maxReduce', x, 1), 0)],
    ['spread again over the elements', (x) => mul(x, reduce('sum', x, 1))],
    ['of a cast', (x) => reduce('sum', build.cast(build.apply('lt', x, mul(x, 0)), 'int32'), 1)],
    [
      'of an outer product',
      (x) =>
        reduce(
          'sum',
          mul(
            move.expand(move.reshape(x, [7, 45, 1]), [7, 45, 9]),
            move.expand(move.reshape(move.slice(x, [0, 0], [1, 9], [1, 1]), [1, 1, 9]), [7, 45, 9]),
          ),
          1,
        ),
    ],
    [
      'of a concatenation',
      (x) =>
        reduce(
          'sum',
          add(
            move.pad(
              x,
              [
                [0, 0],
                [0, 45],
              ],
              0,
            ),
            move.pad(
              move.flip(x, [1]),
              [
                [0, 0],
                [45, 0],
              ],
              0,
            ),
          ),
          1,
        ),
    ],
  ];
  return graphs.flatMap(([shape, graph]) =>
    (['forward', 'backward'] as const)
      .filter((direction) => direction === 'forward' || shape !== 'of a cast')
      .map((direction): Case => ({
        op: 'fused reduction',
        dtype: 'float32',
        shape,
        direction,
        tolerance: { ulps: 16, scale: 100 },
        build() {
          const x = leaf([7, 45], 'float32', 36);
          const y = graph(x);
          return direction === 'forward' ? { outputs: [y] } : withGradients(y, [x]);
        },
      })),
  );
}

export function reduceCases(): Case[] {
  const forward = operations.flatMap((op) =>
    dtypesOf(op).flatMap((dtype) => [
      ...layouts.map((layout) => plainCase(op, dtype, layout)),
      ...(op === 'sum' || op === 'prod' ? empty.map((layout) => plainCase(op, dtype, layout)) : []),
      ...viewCases(op, dtype),
    ]),
  );
  return [...forward, ...operations.flatMap(backwardCases), ...poolingCases(), ...fusedCases()];
}
