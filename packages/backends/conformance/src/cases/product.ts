// Matrix products: odd sizes in every orientation, batches, views as operands, with what stands before and after them.
import { build, combine, move, type DotAttributes, type Dtype, type Node } from '@athanor/core/backend';
import { add, matmul, mul, relu, reduce, sub, withGradients } from '../compose.ts';
import type { Case } from '../problem.ts';
import { leaf } from '../values.ts';
import { kinds, sumTolerance } from './contraction.ts';

const sizes: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [1, 10, 25],
  [10, 1, 25],
  [1, 1, 300],
  [1, 333, 64],
  [3, 5, 7],
  [4, 4, 4],
  [5, 6, 513],
  [16, 16, 16],
  [17, 33, 31],
  [65, 67, 129],
  [2, 300, 3],
  [300, 2, 3],
  [6, 150, 257],
  [7, 9, 0],
  [0, 9, 7],
];

/** N: the operand's contracted axis is where `a · b` has it; T: it is transposed. */
const orientations = ['NN', 'NT', 'TN', 'TT'] as const;

function orientedCases(): Case[] {
  return kinds.flatMap(({ dtype, combine: operation }) =>
    sizes.flatMap(([m, n, k]) =>
      orientations.map((orientation): Case => ({
        op: operation === 'xor-popcount' ? 'dot xor-popcount' : 'dot',
        dtype,
        shape: `${orientation} ${m}×${k} · ${k}×${n}`,
        direction: 'forward',
        tolerance: sumTolerance(dtype, k),
        build() {
          const a = leaf(orientation[0] === 'N' ? [m, k] : [k, m], dtype, 41);
          const b = leaf(orientation[1] === 'N' ? [k, n] : [n, k], dtype, 42);
          return {
            outputs: [
              combine.dot(a, b, {
                batch: [],
                contract: [[orientation[0] === 'N' ? 1 : 0, orientation[1] === 'N' ? 0 : 1]],
                combine: operation,
              }),
            ],
          };
        },
      })),
    ),
  );
}

interface Product {
  readonly name: string;
  readonly terms: number;
  readonly operands: (dtype: Dtype) => readonly [Node, Node];
  readonly batch?: DotAttributes['batch'];
  readonly contract: DotAttributes['contract'];
}

/** Batches, several free and contracted axes, and operands that are views. */
const products: readonly Product[] = [
  {
    name: 'batch in front',
    terms: 6,
    operands: (d) => [leaf([3, 5, 6], d, 43), leaf([3, 6, 7], d, 44)],
    batch: [[0, 0]],
    contract: [[2, 1]],
  },
  {
    name: 'batch in the middle and at the end',
    terms: 6,
    operands: (d) => [leaf([5, 3, 6], d, 43), leaf([7, 6, 3], d, 44)],
    batch: [[1, 2]],
    contract: [[2, 1]],
  },
  {
    name: 'two batch axes',
    terms: 5,
    operands: (d) => [leaf([2, 3, 4, 5], d, 43), leaf([3, 2, 5, 6], d, 44)],
    batch: [
      [0, 1],
      [1, 0],
    ],
    contract: [[3, 2]],
  },
  {
    name: 'batch only',
    terms: 1,
    operands: (d) => [leaf([4, 5], d, 43), leaf([4, 5], d, 44)],
    batch: [
      [0, 0],
      [1, 1],
    ],
    contract: [],
  },
  { name: 'outer product', terms: 1, operands: (d) => [leaf([9], d, 43), leaf([11], d, 44)], contract: [] },
  { name: 'inner product', terms: 1030, operands: (d) => [leaf([1030], d, 43), leaf([1030], d, 44)], contract: [[0, 0]] },
  {
    name: 'row-wise inner products',
    terms: 70,
    operands: (d) => [leaf([9, 70], d, 43), leaf([9, 70], d, 44)],
    batch: [[0, 0]],
    contract: [[1, 1]],
  },
  {
    name: 'two contracted axes in another order',
    terms: 35,
    operands: (d) => [leaf([4, 5, 7], d, 43), leaf([7, 6, 5], d, 44)],
    contract: [
      [1, 2],
      [2, 0],
    ],
  },
  {
    name: 'free axes around contracted ones',
    terms: 6,
    operands: (d) => [leaf([3, 6, 4], d, 43), leaf([5, 6, 2], d, 44)],
    contract: [[1, 1]],
  },
  {
    name: 'an expanded batch',
    terms: 6,
    operands: (d) => [move.expand(leaf([1, 5, 6], d, 43), [4, 5, 6]), leaf([4, 6, 7], d, 44)],
    batch: [[0, 0]],
    contract: [[2, 1]],
  },
  {
    name: 'an operand expanded along the contracted axis',
    terms: 8,
    operands: (d) => [move.expand(leaf([5, 1], d, 43), [5, 8]), leaf([8, 7], d, 44)],
    contract: [[1, 0]],
  },
  {
    name: 'sliced operands',
    terms: 6,
    operands: (d) => [
      move.slice(leaf([11, 13], d, 43), [1, 1], [10, 13], [2, 2]),
      move.slice(leaf([9, 20], d, 44), [3, 2], [9, 19], [1, 3]),
    ],
    contract: [[1, 0]],
  },
  {
    name: 'flipped operands',
    terms: 9,
    operands: (d) => [move.flip(leaf([5, 9], d, 43), [1]), move.flip(leaf([9, 6], d, 44), [0, 1])],
    contract: [[1, 0]],
  },
  {
    name: 'padded operands',
    terms: 12,
    operands: (d) => [
      move.pad(
        leaf([5, 9], d, 43),
        [
          [1, 0],
          [1, 2],
        ],
        0,
      ),
      move.pad(
        leaf([10, 6], d, 44),
        [
          [2, 0],
          [0, 3],
        ],
        1,
      ),
    ],
    contract: [[1, 0]],
  },
  {
    name: 'a window as operand',
    terms: 4,
    operands: (d) => [move.window(leaf([3, 30], d, 43), 1, { size: 4, stride: 3, dilation: 2 }), leaf([4, 5], d, 44)],
    contract: [[2, 0]],
  },
  {
    name: 'a merged operand',
    terms: 12,
    operands: (d) => [move.reshape(move.permute(leaf([4, 5, 3], d, 43), [1, 0, 2]), [5, 12]), leaf([12, 7], d, 44)],
    contract: [[1, 0]],
  },
];

function viewCases(): Case[] {
  return kinds.flatMap(({ dtype, combine: operation }) =>
    products.map(({ name, terms, operands, batch = [], contract }): Case => ({
      op: operation === 'xor-popcount' ? 'dot xor-popcount' : 'dot',
      dtype,
      shape: name,
      direction: 'forward',
      tolerance: sumTolerance(dtype, terms),
      build() {
        const [a, b] = operands(dtype);
        return { outputs: [combine.dot(a, b, { batch, contract, combine: operation })] };
      },
    })),
  );
}

function gradientCases(): Case[] {
  const dtype = 'float32';
  const plain = orientations.flatMap((orientation) =>
    sizes
      .filter(([m, , k]) => m * k > 0)
      .map(([m, n, k]): Case => ({
        op: 'dot',
        dtype,
        shape: `${orientation} ${m}×${k} · ${k}×${n}`,
        direction: 'backward',
        tolerance: sumTolerance(dtype, Math.max(m, n, k)),
        build() {
          const a = leaf(orientation[0] === 'N' ? [m, k] : [k, m], dtype, 45);
          const b = leaf(orientation[1] === 'N' ? [k, n] : [n, k], dtype, 46);
          return withGradients(
            combine.dot(a, b, {
              batch: [],
              contract: [[orientation[0] === 'N' ? 1 : 0, orientation[1] === 'N' ? 0 : 1]],
              combine: 'multiply-add',
            }),
            [a, b],
          );
        },
      })),
  );
  const views = products.map(({ name, operands, batch = [], contract }): Case => ({
    op: 'dot',
    dtype,
    shape: name,
    direction: 'backward',
    tolerance: sumTolerance(dtype, 1030),
    build() {
      const [a, b] = operands(dtype);
      return withGradients(combine.dot(a, b, { batch, contract, combine: 'multiply-add' }), [sourceOf(a), sourceOf(b)]);
    },
  }));
  return [...plain, ...views];
}

/** The leaf that a view shows. */
function sourceOf(node: Node): Node {
  let source = node;
  for (let next = source.inputs[0]; next !== undefined; next = source.inputs[0]) source = next;
  return source;
}

/** Heads and tails: what the scheduler may take into a product's packing and epilogue. */
const surroundings: readonly (readonly [string, () => readonly Node[]])[] = [
  [
    'bias and relu after it',
    () => [relu(add(matmul(leaf([17, 12], 'float32', 47), leaf([12, 9], 'float32', 48)), leaf([1, 9], 'float32', 49)))],
  ],
  [
    'a residual and a scale for each row after it',
    () => [
      mul(
        add(matmul(leaf([17, 12], 'float32', 47), leaf([12, 9], 'float32', 48)), leaf([17, 9], 'float32', 49)),
        leaf([17, 1], 'float32', 50),
      ),
    ],
  ],
  ['relu before it', () => [matmul(relu(leaf([17, 12], 'float32', 47)), mul(leaf([12, 9], 'float32', 48), 3))]],
  ['a sum of its rows after it', () => [reduce('sum', matmul(leaf([17, 12], 'float32', 47), leaf([12, 9], 'float32', 48)), 1)]],
  [
    'transposed after it',
    () => [add(move.permute(matmul(leaf([17, 12], 'float32', 47), leaf([12, 9], 'float32', 48)), [1, 0]), leaf([9, 17], 'float32', 49))],
  ],
  [
    'padded and windowed after it',
    () => [
      move.window(
        move.pad(
          matmul(leaf([17, 12], 'float32', 47), leaf([12, 9], 'float32', 48)),
          [
            [1, 1],
            [2, 0],
          ],
          7,
        ),
        1,
        { size: 3 },
      ),
    ],
  ],
  [
    'stored twice',
    () => {
      const y = matmul(leaf([17, 12], 'float32', 47), leaf([12, 9], 'float32', 48));
      return [y, relu(y), sub(y, 1)];
    },
  ],
  [
    'a matrix with itself',
    () => {
      const x = leaf([13, 8], 'float32', 47);
      return [matmul(x, move.permute(x, [1, 0]))];
    },
  ],
  [
    'a product of products',
    () => [matmul(matmul(leaf([7, 12], 'float32', 47), leaf([12, 9], 'float32', 48)), leaf([9, 5], 'float32', 49))],
  ],
  [
    'two products added',
    () => [
      add(
        matmul(leaf([7, 12], 'float32', 47), leaf([12, 9], 'float32', 48)),
        matmul(leaf([7, 4], 'float32', 49), leaf([4, 9], 'float32', 50)),
      ),
    ],
  ],
  ['int8 scaled to float32', () => [mul(build.cast(matmul(leaf([7, 12], 'int8', 47), leaf([12, 9], 'int8', 48)), 'float32'), 1 / 4096)]],
  [
    'binary to a sign',
    () => [
      build.apply(
        'le',
        combine.dot(leaf([7, 3], 'int32', 47), leaf([9, 3], 'int32', 48), { batch: [], contract: [[1, 1]], combine: 'xor-popcount' }),
        move.expand(move.reshape(build.constant(48, 'int32'), [1, 1]), [7, 9]),
      ),
    ],
  ],
];

function surroundingCases(): Case[] {
  return surroundings.map(([shape, outputs]): Case => ({
    op: 'dot in a graph',
    dtype: 'float32',
    shape,
    direction: 'forward',
    tolerance: { ulps: 8, scale: 40 },
    build: () => ({ outputs: outputs() }),
  }));
}

export function productCases(): Case[] {
  return [...orientedCases(), ...viewCases(), ...gradientCases(), ...surroundingCases()];
}
