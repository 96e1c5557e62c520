// Chains reduce → broadcast → reduce: softmax, normalizations, losses, attention, with their gradients.
import { build, combine, elementCount, move, type Node, type Shape } from '@athanor/core/backend';
import {
  add,
  div,
  exp,
  logSoftmax,
  matmul,
  mean,
  mul,
  oneHot,
  reduce,
  sigmoid,
  softmax,
  standardize,
  sub,
  unary,
  variance,
  withGradients,
} from '../compose.ts';
import type { Case, Tolerance } from '../problem.ts';
import { given, leaf, type Range } from '../values.ts';

interface Chain {
  readonly op: string;
  readonly graph: (x: Node, axes: readonly number[]) => Node;
  readonly layouts: readonly (readonly [name: string, shape: Shape, axes: readonly number[]])[];
  readonly tolerance?: Tolerance;
  readonly range?: Range;
}

const oneAxis: Chain['layouts'] = [
  ['last axis of 33', [7, 33], [1]],
  ['first axis of 50', [50, 70], [0]],
  ['middle axis of 9', [3, 9, 5], [1]],
  ['channels of an image', [2, 40, 4, 5], [1]],
  ['size 1', [5, 1], [1]],
  ['size 2', [9, 2], [1]],
  ['size 1000', [3, 1000], [1]],
  ['size 4097', [2, 4097], [1]],
  ['one row', [65], [0]],
];

const normalized: Chain['layouts'] = [
  ['layer: last axis', [6, 100], [1]],
  ['layer: last two axes', [3, 4, 9, 11], [2, 3]],
  ['batch: axes 0, 2, 3', [4, 6, 5, 7], [0, 2, 3]],
  ['batch: axis 0', [40, 50], [0]],
  ['batch of 1', [1, 3, 4, 4], [0, 2, 3]],
  ['instance', [2, 5, 6, 7], [2, 3]],
  ['all', [5, 33], [0, 1]],
  ['one element', [4, 1], [1]],
  ['4097 in a row', [2, 4097], [1]],
];

const chains: readonly Chain[] = [
  { op: 'softmax', layouts: oneAxis, graph: (x, [axis = 0]) => softmax(x, axis) },
  { op: 'log softmax', layouts: oneAxis, graph: (x, [axis = 0]) => logSoftmax(x, axis) },
  { op: 'softmax times scores', layouts: oneAxis, graph: (x, [axis = 0]) => reduce('sum', mul(softmax(x, axis), x), axis) },
  { op: 'normalization', layouts: normalized, graph: (x, axes) => standardize(x, ...axes) },
  { op: 'affine normalization', layouts: normalized, graph: (x, axes) => add(mul(standardize(x, ...axes), 1.5), 0.25) },
  { op: 'variance', layouts: normalized, graph: (x, axes) => variance(x, ...axes) },
  { op: 'root mean square norm', layouts: normalized, graph: (x, axes) => div(x, unary('sqrt', add(mean(mul(x, x), ...axes), 1e-5))) },
  {
    op: 'norm of a norm',
    layouts: normalized,
    graph: (x, axes) => standardize(unary('tanh', standardize(x, ...axes)), ...axes),
    tolerance: { ulps: 200, scale: 4 },
  },
  {
    op: 'normalization around 10000',
    layouts: normalized,
    graph: (x, axes) => standardize(x, ...axes),
    range: { low: 9998, high: 10002 },
    tolerance: { ulps: 2 ** 14, scale: 4 },
  },
  {
    op: 'normalization, gate, normalization over all',
    layouts: normalized.slice(0, 3),
    graph: (x, axes) => standardize(mul(x, sigmoid(standardize(x, ...axes))), ...x.shape.map((_, axis) => axis)),
  },
];

function layoutCases(): Case[] {
  return chains.flatMap(({ op, graph, layouts, tolerance = { ulps: 32, scale: 4 }, range }) =>
    layouts.flatMap(([shape, size, axes]) =>
      (['forward', 'backward'] as const).map((direction): Case => ({
        op,
        dtype: 'float32',
        shape,
        direction,
        // Where the variance is close to nothing (one element) gradients are up to 1 / √ε.
        tolerance:
          direction === 'forward'
            ? tolerance
            : { ulps: tolerance.ulps * 4, scale: elementCount(axes.map((axis) => size[axis] ?? 1)) === 1 ? 1000 : 16 },
        build() {
          const x = leaf(size, 'float32', 61, range ?? { low: -3, high: 3 });
          const y = graph(x, axes);
          return direction === 'forward' ? { outputs: [y] } : withGradients(y, [x]);
        },
      })),
    ),
  );
}

/** Rows too long for scratch: the chain is cut, or run through memory. */
function longRowCases(): Case[] {
  const shapes: readonly (readonly [string, Shape])[] = [
    ['20,000 in a row', [2, 20000]],
    ['70,000 in a row', [1, 70000]],
  ];
  return shapes.flatMap(([shape, size]) =>
    (['forward', 'backward'] as const).map((direction): Case => ({
      op: 'long softmax',
      dtype: 'float32',
      shape,
      direction,
      tolerance: { ulps: 64, scale: direction === 'forward' ? 0.01 : 4 },
      build() {
        const x = leaf(size, 'float32', 62);
        const y = mul(softmax(x, 1), 1000);
        return direction === 'forward' ? { outputs: [y] } : withGradients(y, [x]);
      },
    })),
  );
}

function crossEntropy(scores: Node, labels: Node): Node {
  const picked = mul(logSoftmax(scores, 1), oneHot(labels, scores.shape[1] ?? 1));
  return mul(reduce('sum', picked, 0, 1), -1 / (scores.shape[0] ?? 1));
}

/** Softmax(q · kᵀ / √d) · v with a causal mask. */
function attention(q: Node, k: Node, v: Node): Node {
  const [heads = 1, length = 1, width = 1] = q.shape;
  const scores = mul(combine.dot(q, k, { batch: [[0, 0]], contract: [[2, 2]], combine: 'multiply-add' }), 1 / Math.sqrt(width));
  const row = move.reshape(build.iota(length), [1, length, 1]);
  const column = move.reshape(build.iota(length), [1, 1, length]);
  const shape = [heads, length, length];
  const visible = build.apply('le', move.expand(column, shape), move.expand(row, shape));
  const masked = build.where(visible, scores, sub(mul(scores, 0), 1e9));
  return combine.dot(softmax(masked, 2), v, { batch: [[0, 0]], contract: [[2, 1]], combine: 'multiply-add' });
}

const networks: readonly (readonly [string, () => { readonly y: Node; readonly parameters: readonly Node[] }])[] = [
  [
    'cross entropy',
    () => {
      const x = leaf([9, 10], 'float32', 63);
      return { y: crossEntropy(x, given([3, 0, 9, 1, 1, 5, 7, 2, 8], 'int32', [9, 1])), parameters: [x] };
    },
  ],
  [
    'causal attention',
    () => {
      const [q, k, v] = [leaf([2, 11, 6], 'float32', 64), leaf([2, 11, 6], 'float32', 65), leaf([2, 11, 6], 'float32', 66)];
      return { y: attention(q, k, v), parameters: [q, k, v] };
    },
  ],
  [
    'a multilayer perceptron',
    () => {
      const [x, w1, b1, w2] = [
        leaf([16, 20], 'float32', 67),
        leaf([20, 33], 'float32', 68),
        leaf([1, 33], 'float32', 69),
        leaf([33, 10], 'float32', 70),
      ];
      const hidden = unary('tanh', add(mul(matmul(x, w1), 0.2), b1));
      return { y: crossEntropy(matmul(hidden, w2), leaf([16, 1], 'int32', 71, { low: 0, high: 10 })), parameters: [w1, b1, w2] };
    },
  ],
  [
    'a normalized residual block',
    () => {
      const [x, w, scale] = [leaf([8, 24], 'float32', 72), leaf([24, 24], 'float32', 73), leaf([1, 24], 'float32', 74)];
      return { y: add(x, mul(standardize(matmul(x, w), 0), scale)), parameters: [x, w, scale] };
    },
  ],
  [
    'sums and a maximum over siblings',
    () => {
      const x = leaf([12, 40], 'float32', 75);
      return { y: add(add(reduce('sum', exp(x), 1), reduce('maxReduce', x, 1)), mean(mul(x, x), 1)), parameters: [x] };
    },
  ],
];

function networkCases(): Case[] {
  return networks.map(([shape, graph]): Case => ({
    op: 'network',
    dtype: 'float32',
    shape,
    direction: 'backward',
    tolerance: { ulps: 128, scale: 8 },
    build() {
      const { y, parameters } = graph();
      return withGradients(y, parameters);
    },
  }));
}

export function chainCases(): Case[] {
  return [...layoutCases(), ...longRowCases(), ...networkCases()];
}
