// Sums over the rows of a matrix beside reductions along them: the parameters' gradients of row-wise normalizations.
import { build, elementCount, move, type Dtype, type Node, type Shape } from '@athanor/core/backend';
import { add, div, mean, mul, reduce, softmax, standardize, sub, unary, withGradients } from '../compose.ts';
import type { Case, Problem, Tolerance } from '../problem.ts';
import { leaf } from '../values.ts';

interface Normalization {
  readonly op: string;
  readonly shape: Shape;
  /** The first of the axes that are normalized over, down to the last. */
  readonly first: number;
  readonly dtype?: Dtype;
}

const normalizations: readonly Normalization[] = [
  { op: 'layer norm', shape: [1040, 257], first: 1 },
  { op: 'layer norm', shape: [544, 500], first: 1, dtype: 'float64' },
  { op: 'layer norm', shape: [96, 5, 563], first: 1 },
  { op: 'layer norm', shape: [29400, 9], first: 1 },
  { op: 'layer norm', shape: [1031, 257], first: 1 },
  { op: 'root mean square norm', shape: [8, 65, 520], first: 2 },
];

/** With a scale and a shift for each feature, and all gradients. */
function normalizationCase({ op, shape, first, dtype = 'float32' }: Normalization): Case {
  return {
    op: `${op} with parameters`,
    dtype,
    shape: `[${shape.join(', ')}] from axis ${first}`,
    direction: 'backward',
    tolerance: { ulps: 64, scale: elementCount(shape.slice(0, first)) },
    build() {
      const axes = shape.flatMap((_, axis) => (axis < first ? [] : [axis]));
      const features = shape.map((size, axis) => (axis < first ? 1 : size));
      const x = leaf(shape, dtype, 181, { low: -2, high: 3 });
      const [scale, shift] = [leaf(features, dtype, 182), leaf(features, dtype, 183)];
      const normal = op === 'layer norm' ? standardize(x, ...axes) : div(x, unary('sqrt', add(mean(mul(x, x), ...axes), 1e-5)));
      return withGradients(add(mul(normal, scale), shift), [x, scale, shift]);
    },
  };
}

interface Sums {
  readonly shape: string;
  readonly dtype: Dtype;
  readonly tolerance: Tolerance;
  readonly outputs: () => readonly Node[];
}

/** A gradient behind a rectifier, and its sum over the rows: that of a bias. */
function masked(shape: Shape, dtype: Dtype): Node[] {
  const slope = mul(leaf(shape, dtype, 186), build.cast(build.apply('lt', leaf(shape, dtype, 187), leaf(shape, dtype, 188)), dtype));
  const rows = shape.flatMap((_, axis) => (axis === shape.length - 1 ? [] : [axis]));
  return [slope, reduce('sum', slope, ...rows), reduce('sum', mul(slope, slope), ...rows)];
}

const sums: readonly Sums[] = [
  { shape: 'of a masked gradient, [1040, 257]', dtype: 'float32', tolerance: { ulps: 16, scale: 1040 }, outputs: () => masked([1040, 257], 'float32') },
  { shape: 'of a masked gradient, [8, 65, 520]', dtype: 'float64', tolerance: { ulps: 16, scale: 520 }, outputs: () => masked([8, 65, 520], 'float64') },
  { shape: 'of a masked gradient, [29400, 9]', dtype: 'float32', tolerance: { ulps: 64, scale: 29400 }, outputs: () => masked([29400, 9], 'float32') },
  {
    shape: 'of integers less their row maximum, [512, 520]',
    dtype: 'int32',
    tolerance: { ulps: 0 },
    outputs: () => {
      const x = leaf([512, 520], 'int32', 184);
      const rest = sub(x, reduce('maxReduce', x, 1));
      return [rest, reduce('sum', rest, 0), reduce('sum', mul(x, rest), 0)];
    },
  },
  {
    shape: 'of the middle axis of a softmax, [9, 40, 33]',
    dtype: 'float32',
    tolerance: { ulps: 16, scale: 40 },
    outputs: () => {
      const y = softmax(leaf([9, 40, 33], 'float32', 185), 2);
      return [y, reduce('sum', y, 1), move.reshape(reduce('sum', mul(y, y), 1), [9, 33])];
    },
  },
];

export function columnCases(): Case[] {
  return [
    ...normalizations.map(normalizationCase),
    ...sums.map(({ outputs, ...rest }): Case => ({ op: 'sums of columns', ...rest, direction: 'forward', build: (): Problem => ({ outputs: outputs() }) })),
  ];
}
