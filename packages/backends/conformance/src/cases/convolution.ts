// Convolutions of every kind, alone and between a head and a tail, with their gradients.
import { combine, elementCount, type Combine, type ConvAttributes, type Node } from '@athanor/core/backend';
import { add, relu, withGradients } from '../compose.ts';
import type { Case } from '../problem.ts';
import { leaf } from '../values.ts';
import { kinds, sumTolerance } from './contraction.ts';

interface Convolution {
  readonly name: string;
  /** [N, G, C, …S] */
  readonly x: readonly number[];
  /** [G, O, C, …K] */
  readonly weight: readonly number[];
  readonly attributes?: Partial<ConvAttributes>;
}

const convolutions: readonly Convolution[] = [
  {
    name: '3×3 padded',
    x: [2, 1, 3, 9, 8],
    weight: [1, 5, 3, 3, 3],
    attributes: {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  },
  { name: '3×3 without padding', x: [2, 1, 4, 9, 11], weight: [1, 6, 4, 3, 3] },
  { name: '1×1', x: [3, 1, 5, 7, 6], weight: [1, 4, 5, 1, 1] },
  { name: '1×1 with stride 2', x: [2, 1, 4, 8, 7], weight: [1, 6, 4, 1, 1], attributes: { stride: [2, 2] } },
  {
    name: '5×5, batch 1',
    x: [1, 1, 2, 12, 12],
    weight: [1, 3, 2, 5, 5],
    attributes: {
      padding: [
        [2, 2],
        [2, 2],
      ],
    },
  },
  {
    name: 'first layer of LeNet-5',
    x: [2, 1, 1, 28, 28],
    weight: [1, 6, 1, 5, 5],
    attributes: {
      padding: [
        [2, 2],
        [2, 2],
      ],
    },
  },
  {
    name: 'stride 2 with a rest',
    x: [2, 1, 3, 10, 9],
    weight: [1, 4, 3, 3, 3],
    attributes: {
      stride: [2, 2],
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  },
  { name: 'strides 3 and 1', x: [1, 1, 2, 11, 7], weight: [1, 3, 2, 2, 3], attributes: { stride: [3, 1] } },
  {
    name: 'uneven padding',
    x: [2, 1, 2, 6, 7],
    weight: [1, 3, 2, 3, 3],
    attributes: {
      padding: [
        [2, 0],
        [0, 3],
      ],
    },
  },
  {
    name: 'negative padding',
    x: [2, 1, 2, 10, 9],
    weight: [1, 3, 2, 3, 3],
    attributes: {
      padding: [
        [-1, -2],
        [1, -1],
      ],
    },
  },
  {
    name: 'kernel dilation',
    x: [1, 1, 3, 11, 12],
    weight: [1, 4, 3, 3, 3],
    attributes: {
      kernelDilation: [2, 3],
      padding: [
        [2, 2],
        [3, 3],
      ],
    },
  },
  {
    name: 'input dilation',
    x: [2, 1, 3, 5, 4],
    weight: [1, 4, 3, 3, 3],
    attributes: {
      inputDilation: [2, 3],
      padding: [
        [1, 2],
        [2, 1],
      ],
    },
  },
  {
    name: 'input and kernel dilation with stride',
    x: [1, 1, 2, 6, 6],
    weight: [1, 3, 2, 3, 2],
    attributes: {
      inputDilation: [2, 2],
      kernelDilation: [2, 1],
      stride: [2, 3],
      padding: [
        [3, 2],
        [1, 0],
      ],
    },
  },
  {
    name: 'two groups',
    x: [2, 2, 3, 8, 7],
    weight: [2, 4, 3, 3, 3],
    attributes: {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  },
  {
    name: 'depthwise',
    x: [2, 6, 1, 9, 8],
    weight: [6, 1, 1, 3, 3],
    attributes: {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  },
  { name: 'depthwise with two outputs each', x: [1, 5, 1, 9, 8], weight: [5, 2, 1, 3, 3], attributes: { stride: [2, 2] } },
  { name: 'a kernel as large as the input', x: [3, 1, 4, 5, 5], weight: [1, 10, 4, 5, 5] },
  { name: 'one dimension', x: [2, 1, 3, 40], weight: [1, 4, 3, 7], attributes: { padding: [[3, 3]] } },
  {
    name: 'three dimensions',
    x: [1, 1, 2, 5, 6, 7],
    weight: [1, 3, 2, 3, 2, 3],
    attributes: {
      padding: [
        [1, 1],
        [0, 1],
        [1, 0],
      ],
      stride: [1, 2, 1],
    },
  },
  { name: 'no spatial axis', x: [3, 2, 5], weight: [2, 4, 5] },
  {
    name: '33 channels to 35',
    x: [1, 1, 33, 6, 6],
    weight: [1, 35, 33, 3, 3],
    attributes: {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  },
];

function convolve(x: Node, weight: Node, attributes: Partial<ConvAttributes> = {}, operation: Combine = 'multiply-add'): Node {
  const ones = x.shape.slice(3).map(() => 1);
  const defaults = {
    stride: ones,
    padding: ones.map(() => [0, 0] as const),
    inputDilation: ones,
    kernelDilation: ones,
    combine: operation,
  };
  return combine.conv(x, weight, { ...defaults, ...attributes });
}

export function convolutionCases(): Case[] {
  const forward = kinds.flatMap(({ dtype, combine: operation }) =>
    convolutions.map(({ name, x, weight, attributes }): Case => ({
      op: operation === 'xor-popcount' ? 'conv xor-popcount' : 'conv',
      dtype,
      shape: name,
      direction: 'forward',
      tolerance: sumTolerance(dtype, elementCount(weight.slice(2))),
      build: () => ({ outputs: [convolve(leaf(x, dtype, 51), leaf(weight, dtype, 52), attributes, operation)] }),
    })),
  );
  const backward = (['float32', 'float64'] as const).flatMap((dtype) =>
    convolutions.map(({ name, x, weight, attributes }): Case => ({
      op: 'conv',
      dtype,
      shape: name,
      direction: 'backward',
      tolerance: sumTolerance(dtype, 4 * elementCount(x)),
      build() {
        const [input, kernel] = [leaf(x, dtype, 53), leaf(weight, dtype, 54)];
        return withGradients(convolve(input, kernel, attributes), [input, kernel]);
      },
    })),
  );
  const surrounded = convolutions.map(({ name, x, weight, attributes }): Case => ({
    op: 'conv between relu, bias and relu',
    dtype: 'float32',
    shape: name,
    direction: 'backward',
    tolerance: sumTolerance('float32', 4 * elementCount(x)),
    build() {
      const [input, kernel] = [leaf(x, 'float32', 55), leaf(weight, 'float32', 56)];
      const y = convolve(relu(input), kernel, attributes);
      const bias = leaf(
        y.shape.map((size, axis) => (axis === 1 || axis === 2 ? size : 1)),
        'float32',
        57,
      );
      return withGradients(relu(add(y, bias)), [input, kernel, bias]);
    },
  }));
  return [...forward, ...backward, ...surrounded];
}
