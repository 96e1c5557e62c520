// Casts between all dtypes with values that saturate, bitcasts, choices, and plain copies of every shape class.
import { build, dtypes, type Dtype, type Node } from '@athanor/core/backend';
import { exact, type Case } from '../problem.ts';
import { given, leaf } from '../values.ts';
import { allShapes, operandOf } from '../views.ts';
import { forward } from './make.ts';

const allDtypes = Object.keys(dtypes) as Dtype[];

/** Numbers at the edges of the dtypes; an array of a narrower dtype takes what it can hold of them. */
const edges = [
  0,
  -0,
  0.5,
  -0.5,
  0.999,
  -0.999,
  1,
  -1,
  1.5,
  127,
  127.5,
  128,
  -128,
  -128.7,
  -129,
  255,
  255.9,
  256,
  1e9,
  2147483520,
  2147483647,
  2147483648,
  -2147483648,
  -2147483904,
  1e30,
  -1e30,
  Infinity,
  -Infinity,
  NaN,
  3e-39,
  16777217,
  0.1,
];

function castCases(): Case[] {
  return allDtypes.flatMap((from) =>
    allDtypes
      .filter((to) => to !== from)
      .flatMap((to): Case[] => {
        const about = { op: `cast to ${to}`, dtype: from, tolerance: exact };
        const extreme = from === 'bool' ? edges.map((x) => Number(x > 0)) : edges;
        return [
          forward({ ...about, shape: 'edge values' }, () => [build.cast(given(extreme, from), to)]),
          ...allShapes.map((shape) =>
            forward({ ...about, shape: shape.name }, () => [build.cast(operandOf(shape, from, { seed: 5 }).value, to)]),
          ),
        ];
      }),
  );
}

const bitcasts: readonly (readonly [Dtype, Dtype])[] = [
  ['float32', 'int32'],
  ['int32', 'float32'],
  ['uint8', 'int8'],
  ['int8', 'uint8'],
];

function bitcastCases(): Case[] {
  return bitcasts.flatMap(([from, to]) =>
    allShapes.map((shape) => {
      // The bits of normal numbers: a NaN's payload may be lost on the way.
      const options = { seed: 6, ...(from === 'int32' ? { range: { low: 0x00800000, high: 0x7f000000 }, fill: 0x3f800000 } : {}) };
      return forward({ op: `bitcast to ${to}`, dtype: from, shape: shape.name, tolerance: exact }, () => [
        build.bitcast(operandOf(shape, from, options).value, to),
      ]);
    }),
  );
}

function choiceCases(): Case[] {
  return allDtypes.flatMap((dtype) =>
    allShapes.map((shape) =>
      forward({ op: 'where', dtype, shape: shape.name, tolerance: exact }, () => {
        const [condition, a, b] = [
          operandOf(shape, 'bool', { seed: 7 }),
          operandOf(shape, dtype, { seed: 8 }),
          operandOf(shape, dtype, { seed: 9 }),
        ];
        return [build.where(condition.value, a.value, b.value)];
      }),
    ),
  );
}

function copyCases(): Case[] {
  return allDtypes.flatMap((dtype) =>
    allShapes.map((shape) =>
      forward({ op: 'copy', dtype, shape: shape.name, tolerance: { ulps: 0, signedZero: true } }, () => [
        operandOf(shape, dtype, { seed: 10 }).value,
      ]),
    ),
  );
}

const twice = (): readonly Node[] => {
  const x = build.apply('neg', leaf([5], 'float32', 12));
  return [x, x];
};

/** A constant and a leaf may themselves be outputs. */
function leafCases(): Case[] {
  const sources: readonly (readonly [string, () => readonly Node[]])[] = [
    ['a constant', () => [build.constant(2.5, 'float32')]],
    ['a leaf', () => [leaf([3, 4], 'float32', 11)]],
    ['iota', () => [build.iota(37)]],
    ['one value twice', twice],
  ];
  return sources.map(([shape, outputs]) => forward({ op: 'output', dtype: 'mixed', shape, tolerance: exact }, outputs));
}

export function convertCases(): Case[] {
  return [...castCases(), ...bitcastCases(), ...choiceCases(), ...copyCases(), ...leafCases()];
}
