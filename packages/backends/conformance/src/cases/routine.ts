// Routines that never fuse: sort, cumulative, eigh, cholesky, triangularSolve, alone and inside a graph.
import { combine, elementCount, move, type Attributes, type Dtype, type Node, type Shape } from '@athanor/core/backend';
import { add, matmul, mul, relu, sub, withGradients } from '../compose.ts';
import { exact, type Case, type Tolerance } from '../problem.ts';
import { given, leaf } from '../values.ts';

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
  return lines.flatMap(([name, shape, axis]) =>
    dtypes.flatMap((dtype) =>
      (['values', 'indices'] as const).flatMap((output) =>
        [false, true].map((descending): Case => ({
          op: `sort ${output}`,
          dtype,
          shape: `${name}${descending ? ', descending' : ''}`,
          direction: 'forward',
          tolerance: exact,
          build: () => ({ outputs: [combine.sort(leaf(shape, dtype, 131, { low: 0, high: 9 }), { axis, descending, output })] }),
        })),
      ),
    ),
  );
}

function cumulativeCases(): Case[] {
  const kinds: readonly Attributes['cumulative']['combine'][] = ['sum', 'prod', 'max', 'min'];
  return lines.flatMap(([name, shape, axis]) =>
    kinds.flatMap((kind) => [
      ...dtypes.map((dtype): Case => ({ op: `cumulative ${kind}`, dtype, shape: name, direction: 'forward', tolerance: { ulps: 64, scale: 8 }, build: () => ({ outputs: [combine.cumulative(leaf(shape, dtype, 132, { low: -2, high: 3 }), { axis, combine: kind })] }) })),
      ...(elementCount(shape) === 0 ? [] : [{ op: `cumulative ${kind}`, dtype: 'float32', shape: name, direction: 'backward', tolerance: { ulps: 512, scale: 64 }, build() { const x = leaf(shape, 'float32', 133); return withGradients(combine.cumulative(x, { axis, combine: kind }), [x]); } } satisfies Case]),
    ]),
  );
}

/** a · aᵀ + n · identity: symmetric, positive, well conditioned. */
function positiveMatrix(batch: readonly number[], n: number, dtype: Dtype): Node {
  const a = leaf([...batch, n, n], dtype, 134);
  const rank = batch.length;
  const square = combine.dot(a, a, { batch: batch.map((_, i) => [i, i] as const), contract: [[rank + 1, rank + 1]], combine: 'multiply-add' });
  const identity = given(Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? n : 0)), dtype, [...batch.map(() => 1), n, n]);
  return add(square, identity);
}

const matrices: readonly (readonly [name: string, batch: readonly number[], n: number])[] = [
  ['1×1', [], 1],
  ['5×5', [], 5],
  ['a batch of 3×3', [4], 3],
  ['17×17', [], 17],
];

function matrixCases(): Case[] {
  const loose: Tolerance = { ulps: 256, scale: 16 };
  return matrices.flatMap(([shape, batch, n]) =>
    (['float32', 'float64'] as const).flatMap((dtype): Case[] => {
      const one = (op: string, outputs: () => readonly Node[]): Case => ({ op, dtype, shape, direction: 'forward', tolerance: loose, build: () => ({ outputs: outputs() }) });
      const solve = (name: string, attributes: Attributes['triangularSolve']) => one(`triangularSolve ${name}`, () => [combine.triangularSolve(positiveMatrix(batch, n, dtype), leaf([...batch, n, 2], dtype, 135), attributes)]);
      return [
        one('cholesky', () => [combine.cholesky(positiveMatrix(batch, n, dtype))]),
        one('eigh values', () => [combine.eigh(positiveMatrix(batch, n, dtype), 'values')]),
        solve('lower', { lower: true, transpose: false, unitDiagonal: false }),
        solve('upper', { lower: false, transpose: false, unitDiagonal: false }),
        solve('lower, transposed', { lower: true, transpose: true, unitDiagonal: false }),
        ...(n <= 5 ? [solve('lower, unit diagonal', { lower: true, transpose: false, unitDiagonal: true })] : []),
      ];
    }),
  );
}

/** Eigenvectors of a diagonal matrix are the axes, whatever the algorithm. */
const inGraphs: readonly (readonly [string, () => readonly Node[]])[] = [
  ['eigenvectors of a diagonal matrix', () => [combine.eigh(given([3, 0, 0, 0, 1, 0, 0, 0, 2], 'float32', [3, 3]), 'vectors')]],
  ['sort of an expression, then an expression', () => [mul(combine.sort(relu(leaf([4, 9], 'float32', 136)), { axis: 1, descending: false, output: 'values' }), 2)]],
  ['sort of a transposed view', () => [combine.sort(move.permute(leaf([9, 4], 'float32', 136), [1, 0]), { axis: 1, descending: true, output: 'values' })]],
  ['values taken by sorted indices', () => { const x = leaf([4, 9], 'float32', 136); return [sub(combine.gather(x, combine.sort(x, { axis: 1, descending: false, output: 'indices' }), 1), combine.sort(x, { axis: 1, descending: false, output: 'values' }))]; }],
  ['stable where equal', () => [combine.sort(given([2, 1, 2, 1, 1, 2, 0], 'float32'), { axis: 0, descending: true, output: 'indices' })]],
  ['NaN comes last', () => [combine.sort(given([2, NaN, -1, Infinity, NaN, 0], 'float32'), { axis: 0, descending: false, output: 'values' }), combine.sort(given([2, NaN, -1, Infinity, NaN, 0], 'float32'), { axis: 0, descending: true, output: 'values' })]],
  ['NaN spreads through cumulative sums', () => [combine.cumulative(given([1, 2, NaN, 4], 'float32'), { axis: 0, combine: 'sum' }), combine.cumulative(given([1, 2, NaN, 4], 'float32'), { axis: 0, combine: 'max' })]],
  ['cumulative of a padded view', () => [combine.cumulative(move.pad(leaf([3, 5], 'float32', 137), [[0, 0], [2, 1]], 1), { axis: 1, combine: 'sum' })]],
  ['a factor multiplied again', () => { const l = combine.cholesky(positiveMatrix([], 6, 'float32')); return [matmul(l, move.permute(l, [1, 0]))]; }],
];

function graphCases(): Case[] {
  return inGraphs.map(([shape, outputs]): Case => ({ op: 'routine in a graph', dtype: 'float32', shape, direction: 'forward', tolerance: { ulps: 64, scale: 8 }, build: () => ({ outputs: outputs() }) }));
}

export function routineCases(): Case[] {
  return [...sortCases(), ...cumulativeCases(), ...matrixCases(), ...graphCases()];
}
