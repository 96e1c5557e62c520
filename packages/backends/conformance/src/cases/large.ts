// Sizes at which threads split the work and blocks of a contraction have edges.
import { build, combine, move, type Node } from '@athanor/core/backend';
import { add, matmul, mul, reduce, relu, softmax, standardize, unary, withGradients } from '../compose.ts';
import type { Case } from '../problem.ts';
import { leaf } from '../values.ts';

interface Large {
  readonly op: string;
  readonly shape: string;
  readonly leaves: () => readonly Node[];
  readonly graph: (...leaves: Node[]) => Node;
}

const conv = (x: Node, weight: Node, padding: number): Node =>
  combine.conv(x, weight, {
    stride: [1, 1],
    padding: [
      [padding, padding],
      [padding, padding],
    ],
    inputDilation: [1, 1],
    kernelDilation: [1, 1],
    combine: 'multiply-add',
  });

const graphs: readonly Large[] = [
  {
    op: 'elementwise',
    shape: '[131, 1003]',
    leaves: () => [leaf([131, 1003], 'float32', 141)],
    graph: (x) => add(mul(unary('tanh', x), 0.5), 1),
  },
  {
    op: 'elementwise',
    shape: '[1003, 131] transposed',
    leaves: () => [leaf([1003, 131], 'float32', 141), leaf([131, 1003], 'float32', 142)],
    graph: (x, y) => mul(move.permute(x, [1, 0]), y),
  },
  { op: 'sum', shape: 'rows of [513, 515]', leaves: () => [leaf([513, 515], 'float32', 141)], graph: (x) => reduce('sum', mul(x, x), 1) },
  {
    op: 'sum',
    shape: 'columns of [513, 515]',
    leaves: () => [leaf([513, 515], 'float32', 141)],
    graph: (x) => reduce('sum', mul(x, x), 0),
  },
  { op: 'softmax', shape: '[257, 301]', leaves: () => [leaf([257, 301], 'float32', 141)], graph: (x) => softmax(x, 1) },
  {
    op: 'batch norm',
    shape: '[16, 24, 13, 13]',
    leaves: () => [leaf([16, 24, 13, 13], 'float32', 141)],
    graph: (x) => standardize(x, 0, 2, 3),
  },
  {
    op: 'dot',
    shape: '259×263 · 263×131',
    leaves: () => [leaf([259, 263], 'float32', 141), leaf([263, 131], 'float32', 142)],
    graph: (a, b) => matmul(a, b),
  },
  {
    op: 'dot',
    shape: '3×1031 · 1031×700',
    leaves: () => [leaf([3, 1031], 'float32', 141), leaf([1031, 700], 'float32', 142)],
    graph: (a, b) => relu(matmul(a, b)),
  },
  {
    op: 'conv',
    shape: '[4, 1, 16, 20, 20] with 24 filters 3×3',
    leaves: () => [leaf([4, 1, 16, 20, 20], 'float32', 141), leaf([1, 24, 16, 3, 3], 'float32', 142)],
    graph: (x, w) => relu(conv(x, w, 1)),
  },
  {
    op: 'conv',
    shape: 'LeNet-5, first layer, batch 16',
    leaves: () => [leaf([16, 1, 1, 28, 28], 'float32', 141), leaf([1, 6, 1, 5, 5], 'float32', 142)],
    graph: (x, w) => unary('tanh', conv(x, w, 2)),
  },
  {
    op: 'conv',
    shape: 'depthwise [2, 32, 1, 21, 21]',
    leaves: () => [leaf([2, 32, 1, 21, 21], 'float32', 141), leaf([32, 1, 1, 3, 3], 'float32', 142)],
    graph: (x, w) => conv(x, w, 1),
  },
];

export function largeCases(): Case[] {
  const trained = graphs.map(({ op, shape, leaves, graph }): Case => ({
    op: `large ${op}`,
    dtype: 'float32',
    shape,
    direction: 'backward',
    tolerance: { ulps: 64, scale: 256 },
    build() {
      const made = leaves();
      return withGradients(graph(...made), made);
    },
  }));
  const integers: Case = {
    op: 'large int8 dot',
    dtype: 'int8',
    shape: '67×515 · 515×129',
    direction: 'forward',
    tolerance: { ulps: 0 },
    build: () => ({ outputs: [build.cast(matmul(leaf([67, 515], 'int8', 143), leaf([515, 129], 'int8', 144)), 'float64')] }),
  };
  return [...trained, integers];
}
