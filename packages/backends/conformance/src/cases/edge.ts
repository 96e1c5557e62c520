// The edge cases of docs/OPS.md: NaN, infinities, signed zeros, overflow, wrapping, division by zero, ties.
import { build, elementwise, type Dtype, type ElementwiseOp, type Node } from '@athanor/core/backend';
import { mul, reduce } from '../compose.ts';
import { exact, type Case, type Tolerance } from '../problem.ts';
import { given } from '../values.ts';
import { dtypesOf } from './elementwise.ts';
import { backward, forward } from './make.ts';

const floatEdges = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  Infinity,
  -Infinity,
  NaN,
  3.4e38,
  -3.4e38,
  1e-30,
  88.8,
  -104,
  710,
  8388609.5,
  1e9,
];
const integerEdges: Readonly<Record<string, readonly number[]>> = {
  int32: [0, 1, -1, 2, -2, 31, 32, 33, 65536, -65536, 2147483647, -2147483648, 1431655765],
  uint8: [0, 1, 2, 7, 8, 31, 32, 85, 127, 128, 254, 255],
  int8: [0, 1, -1, 2, 7, 8, 31, 85, 127, -127, -128],
  bool: [0, 1],
};

/** Signs of zeros are part of the promise for these. */
const signed: ReadonlySet<ElementwiseOp> = new Set([
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'sqrt',
  'mul',
  'div',
  'max',
  'min',
]);
const transcendental: ReadonlySet<ElementwiseOp> = new Set(['exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'atan', 'tanh', 'erf', 'pow']);

function toleranceOf(op: ElementwiseOp): Tolerance {
  if (transcendental.has(op)) return { ulps: 6, scale: op === 'sin' || op === 'cos' ? 1 : 0 };
  return { ulps: 0, signedZero: signed.has(op) };
}

/** Every edge value; for two operands every pair. */
function edgeOperands(op: ElementwiseOp, dtype: Dtype): [Node] | [Node, Node] {
  const values = integerEdges[dtype] ?? floatEdges;
  if (elementwise[op].arity === 1) return [given(values, dtype)];
  const first = values.flatMap((a) => values.map(() => a));
  const second = values.flatMap(() => values);
  return [given(first, dtype), given(second, dtype)];
}

function pairCases(): Case[] {
  return (Object.keys(elementwise) as ElementwiseOp[]).flatMap((op) =>
    dtypesOf(op).map((dtype) =>
      forward({ op, dtype, shape: 'edge values', tolerance: toleranceOf(op) }, () => [build.apply(op, ...edgeOperands(op, dtype))]),
    ),
  );
}

/** Small integers wrap in registers too, not only when they are stored. */
function widenedCases(): Case[] {
  const ops = (Object.keys(elementwise) as ElementwiseOp[]).filter((op) => elementwise[op].dtype !== 'compare');
  return ops.flatMap((op) =>
    dtypesOf(op)
      .filter((dtype) => dtype === 'uint8' || dtype === 'int8')
      .map((dtype) =>
        forward({ op, dtype, shape: 'edge values, widened at once', tolerance: exact }, () => [
          build.cast(build.apply(op, ...edgeOperands(op, dtype)), 'int32'),
        ]),
      ),
  );
}

const reductions: readonly (readonly [name: string, values: readonly number[]])[] = [
  ['NaN in the middle', [1, 2, NaN, 4, 5, 6, 7, 8, 9]],
  ['infinities of both signs', [Infinity, 1, -Infinity, 2]],
  ['one infinity', [1, 2, Infinity, -3, 4]],
  ['only −∞', [-Infinity, -Infinity]],
  ['NaN beyond 32', Array.from({ length: 70 }, (_, i) => (i === 65 ? NaN : i))],
];

const wrapping: readonly (readonly [Dtype, readonly number[]])[] = [
  ['int32', [2147483647, 1, 1]],
  ['uint8', [200, 100, 7]],
  ['int8', [127, 127, 127]],
];

function reductionCases(): Case[] {
  const floats = reductions.flatMap(([shape, values]) =>
    (['sum', 'prod', 'maxReduce', 'minReduce'] as const).flatMap((op) =>
      (['float32', 'float64'] as const).flatMap((dtype) => {
        const about = { op, dtype, tolerance: exact };
        const columns = values.flatMap((x) => [x, 1, x]);
        return [
          forward({ ...about, shape: `${shape}, a row` }, () => [reduce(op, given(values, dtype), 0)]),
          forward({ ...about, shape: `${shape}, columns` }, () => [reduce(op, given(columns, dtype, [values.length, 3]), 0)]),
        ];
      }),
    ),
  );
  const integers = wrapping.flatMap(([dtype, values]) =>
    (['sum', 'prod'] as const).map((op) =>
      forward({ op, dtype, shape: 'wraps', tolerance: exact }, () => [reduce(op, given(values, dtype), 0)]),
    ),
  );
  return [...floats, ...integers];
}

/** Ties: the first element wins, the first operand wins. */
function tieCases(): Case[] {
  const about = { dtype: 'float32', shape: 'ties', tolerance: exact } as const;
  const matrix = (): Node => given([3, 7, 1, 1, 7, 2], 'float32', [2, 3]);
  const pair = (): [Node, Node] => [given([1, 2, 3], 'float32'), given([1, 3, 2], 'float32')];
  const reduced = (['maxReduce', 'minReduce'] as const).map((op) =>
    backward({ ...about, op }, () => {
      const x = matrix();
      return [reduce(op, x, 0, 1), x];
    }),
  );
  const chosen = (['max', 'min'] as const).map((op) =>
    backward({ ...about, op }, () => {
      const [a, b] = pair();
      return [build.apply(op, a, b), a, b];
    }),
  );
  return [...reduced, ...chosen];
}

/** What is not chosen leaves no trace. */
function isolationCases(): Case[] {
  return (['float32', 'float64'] as const).map((dtype) =>
    forward({ op: 'where', dtype, shape: 'NaN in the branch that is not taken', tolerance: { ulps: 4 } }, () => {
      const x = given([0, 1, -1, 4], dtype);
      const safe = build.apply('lt', mul(x, 0), x);
      return [build.where(safe, build.apply('log', x), mul(x, 0))];
    }),
  );
}

export function edgeCases(): Case[] {
  return [...pairCases(), ...widenedCases(), ...reductionCases(), ...tieCases(), ...isolationCases()];
}
