// Routines that never fuse: sort, cumulative, eigh, cholesky, triangularSolve, alone and inside a graph.
import { combine, elementCount, move, type Attributes, type Dtype, type Node, type Shape } from '@athanor/core/backend';
import { add, matmul, mul, relu, sub } from '../compose.ts';
import { exact, type Case, type Tolerance } from '../problem.ts';
import { given, leaf } from '../values.ts';
import { backward, forward } from './make.ts';

const lines: readonly (readonly [name: string, shape: Shape, axis: number])[] = [
  ['a vector of 1', [1], 0],
  ['a vector of 33', [33], 0],
  ['rows', [5, 17], 1],
  ['columns', [17, 5], 0],
  ['a middle axis', [3, 9, 4], 1],
  ['an empty axis', [3, 0], 1],
];

const dtypes: readonly Dtype[] = ['float32', 'float64', 'int32', 'uint8', 'int8'];

function sortCases(): Case[] {
  const ways = (['values', 'indices'] as const).flatMap((output) => [false, true].map((descending) => ({ output, descending })));
  return lines.flatMap(([name, shape, axis]) =>
    dtypes.flatMap((dtype) =>
      ways.map(({ output, descending }) =>
        forward({ op: `sort ${output}`, dtype, shape: descending ? `${name}, descending` : name, tolerance: exact }, () => [
          combine.sort(leaf(shape, dtype, 131, { low: 0, high: 9 }), { axis, descending, output }),
        ]),
      ),
    ),
  );
}

function cumulativeCases(): Case[] {
  const kinds: readonly Attributes['cumulative']['combine'][] = ['sum', 'prod', 'max', 'min'];
  return lines.flatMap(([shape, size, axis]) =>
    kinds.flatMap((kind) => {
      const about = { op: `cumulative ${kind}`, shape };
      const values = dtypes.map((dtype) =>
        forward({ ...about, dtype, tolerance: { ulps: 64, scale: 8 } }, () => [
          combine.cumulative(leaf(size, dtype, 132, { low: -2, high: 3 }), { axis, combine: kind }),
        ]),
      );
      const differentiated = backward({ ...about, dtype: 'float32', tolerance: { ulps: 512, scale: 64 } }, () => {
        const x = leaf(size, 'float32', 133);
        return [combine.cumulative(x, { axis, combine: kind }), x];
      });
      return elementCount(size) === 0 ? values : [...values, differentiated];
    }),
  );
}

/** a · aᵀ + n · identity: symmetric, positive, well conditioned. */
function positiveMatrix(batch: readonly number[], n: number, dtype: Dtype): Node {
  const a = leaf([...batch, n, n], dtype, 134);
  const rank = batch.length;
  const square = combine.dot(a, a, {
    batch: batch.map((_, i) => [i, i] as const),
    contract: [[rank + 1, rank + 1]],
    combine: 'multiply-add',
  });
  const identity = given(
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? n : 0)),
    dtype,
    [...batch.map(() => 1), n, n],
  );
  return add(square, identity);
}

const matrices: readonly (readonly [name: string, batch: readonly number[], n: number])[] = [
  ['1×1', [], 1],
  ['5×5', [], 5],
  ['a batch of 3×3', [4], 3],
  ['17×17', [], 17],
];

const solves: readonly (readonly [name: string, attributes: Attributes['triangularSolve']])[] = [
  ['lower', { lower: true, transpose: false, unitDiagonal: false }],
  ['upper', { lower: false, transpose: false, unitDiagonal: false }],
  ['lower, transposed', { lower: true, transpose: true, unitDiagonal: false }],
  ['lower, unit diagonal', { lower: true, transpose: false, unitDiagonal: true }],
];

function matrixCases(): Case[] {
  const tolerance: Tolerance = { ulps: 256, scale: 16 };
  return matrices.flatMap(([shape, batch, n]) =>
    (['float32', 'float64'] as const).flatMap((dtype) => {
      const about = { dtype, shape, tolerance };
      // With ones on its diagonal a large matrix is badly conditioned.
      const possible = solves.filter(([, { unitDiagonal }]) => !unitDiagonal || n <= 5);
      return [
        forward({ ...about, op: 'cholesky' }, () => [combine.cholesky(positiveMatrix(batch, n, dtype))]),
        forward({ ...about, op: 'eigh values' }, () => [combine.eigh(positiveMatrix(batch, n, dtype), 'values')]),
        ...possible.map(([name, attributes]) =>
          forward({ ...about, op: `triangularSolve ${name}` }, () => [
            combine.triangularSolve(positiveMatrix(batch, n, dtype), leaf([...batch, n, 2], dtype, 135), attributes),
          ]),
        ),
      ];
    }),
  );
}

const nan = [2, NaN, -1, Infinity, NaN, 0];
const sorted = (x: Node, axis: number, descending = false): Node => combine.sort(x, { axis, descending, output: 'values' });
const running = (x: Node, kind: 'sum' | 'max', axis = 0): Node => combine.cumulative(x, { axis, combine: kind });

function takenBySortedIndices(): readonly Node[] {
  const x = leaf([4, 9], 'float32', 136);
  const taken = combine.gather(x, combine.sort(x, { axis: 1, descending: false, output: 'indices' }), 1);
  return [sub(taken, sorted(x, 1))];
}

function factorMultipliedAgain(): readonly Node[] {
  const factor = combine.cholesky(positiveMatrix([], 6, 'float32'));
  return [matmul(factor, move.permute(factor, [1, 0]))];
}

function summedOverReplicas(): readonly Node[] {
  const x = leaf([3, 5], 'float32', 137);
  return [mul(combine.allReduce(add(x, 1)), 2), combine.allReduce(move.permute(x, [1, 0]))];
}

const inGraphs: readonly (readonly [string, () => readonly Node[]])[] = [
  ['eigenvectors of a diagonal matrix', () => [combine.eigh(given([3, 0, 0, 0, 1, 0, 0, 0, 2], 'float32', [3, 3]), 'vectors')]],
  ['sums over one replica, of an expression and of a view', summedOverReplicas],
  ['sort of an expression, then an expression', () => [mul(sorted(relu(leaf([4, 9], 'float32', 136)), 1), 2)]],
  ['sort of a transposed view', () => [sorted(move.permute(leaf([9, 4], 'float32', 136), [1, 0]), 1, true)]],
  ['values taken by sorted indices', takenBySortedIndices],
  ['stable where equal', () => [combine.sort(given([2, 1, 2, 1, 1, 2, 0], 'float32'), { axis: 0, descending: true, output: 'indices' })]],
  ['NaN comes last', () => [sorted(given(nan, 'float32'), 0), sorted(given(nan, 'float32'), 0, true)]],
  [
    'NaN spreads through running sums and maxima',
    () => [running(given([1, 2, NaN, 4], 'float32'), 'sum'), running(given([1, 2, NaN, 4], 'float32'), 'max')],
  ],
  [
    'running sum of a padded view',
    () => [
      running(
        move.pad(
          leaf([3, 5], 'float32', 137),
          [
            [0, 0],
            [2, 1],
          ],
          1,
        ),
        'sum',
        1,
      ),
    ],
  ],
  ['a factor multiplied again', factorMultipliedAgain],
];

function graphCases(): Case[] {
  return inGraphs.map(([shape, outputs]) =>
    forward({ op: 'routine in a graph', dtype: 'float32', shape, tolerance: { ulps: 64, scale: 8 } }, outputs),
  );
}

export function routineCases(): Case[] {
  return [...sortCases(), ...cumulativeCases(), ...matrixCases(), ...graphCases()];
}
