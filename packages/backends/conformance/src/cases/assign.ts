// Several results of one program, and Variables: overwriting in place, swaps, chains, old values, many runs.
import { build, combine, elementCount, gradient, move, type Dtype, type Node, type Shape, type TypedArray } from '@athanor/core/backend';
import { add, div, exp, matmul, mean, mul, reduce, relu, softmax, sub, unary } from '../compose.ts';
import type { Case, Problem, Tolerance } from '../problem.ts';
import { given, leaf, slot, valuesOf } from '../values.ts';
import { filled } from '../views.ts';

const matrix: Shape = [7, 9];
const square: Shape = [9, 9];

interface Step<K extends string> {
  readonly outputs?: readonly Node[];
  readonly assign: Readonly<Partial<Record<K, Node>>>;
}

/** A problem with float32 Variables: from what is read of them to what is assigned; run several times. */
function problem<K extends string>(
  shapes: Readonly<Record<K, Shape>>,
  step: (old: Readonly<Record<K, Node>>) => Step<K>,
  runs = 3,
): () => Problem {
  return () => {
    const names = Object.keys(shapes) as K[];
    const slots = new Map(names.map((name) => [name, slot(name, shapes[name], 'float32')]));
    const old = Object.fromEntries([...slots].map(([name, variable]) => [name, build.read(variable, 0)])) as Record<K, Node>;
    const { outputs = [], assign } = step(old);
    const assignments = [...slots].flatMap(([name, variable]) => {
      const value = assign[name];
      return value === undefined ? [] : [{ variable, value }];
    });
    const initial = new Map(
      [...slots.values()].map((variable, i) => [variable, valuesOf('float32', elementCount(variable.shape), 80 + i)]),
    );
    return { outputs, assignments, initial, runs };
  };
}

/** A problem with one Variable of another dtype. */
function single(
  dtype: Dtype,
  initial: TypedArray,
  shape: Shape,
  step: (old: Node) => { readonly outputs?: readonly Node[]; readonly value: Node },
): () => Problem {
  return () => {
    const variable = slot('a', shape, dtype);
    const { outputs = [], value } = step(build.read(variable, 0));
    return { outputs, assignments: [{ variable, value }], initial: new Map([[variable, initial]]), runs: 3 };
  };
}

const programs: readonly (readonly [string, () => Problem])[] = [
  ['p ← p − lr · g', problem({ p: [1030] }, ({ p }) => ({ assign: { p: sub(p, mul(leaf([1030], 'float32', 90), 0.1)) } }))],
  ['a and b swap', problem({ a: matrix, b: matrix }, ({ a, b }) => ({ assign: { a: b, b: a } }))],
  ['a, b and c rotate', problem({ a: matrix, b: matrix, c: matrix }, ({ a, b, c }) => ({ assign: { a: b, b: c, c: a } }), 4)],
  [
    'a ← a + b, b ← a − b of the old a',
    problem({ a: matrix, b: matrix }, ({ a, b }) => ({ outputs: [a], assign: { a: add(a, b), b: sub(a, b) } })),
  ],
  ['a ← aᵀ', problem({ a: square }, ({ a }) => ({ assign: { a: move.permute(a, [1, 0]) } }))],
  [
    'a ← a shifted by one',
    problem({ a: [40] }, ({ a }) => ({ assign: { a: add(move.pad(move.slice(a, [1], [40], [1]), [[0, 1]], 0), 1) } })),
  ],
  ['a ← a flipped', problem({ a: matrix }, ({ a }) => ({ assign: { a: move.flip(a, [0, 1]) } }))],
  ['a ← a − its mean', problem({ a: matrix }, ({ a }) => ({ outputs: [mean(a, 0, 1)], assign: { a: sub(a, mean(a, 0, 1)) } }))],
  ['a ← softmax of its rows', problem({ a: matrix }, ({ a }) => ({ assign: { a: softmax(a, 1) } }))],
  ['a ← a · a', problem({ a: square }, ({ a }) => ({ assign: { a: mul(matmul(a, a), 0.1) } }))],
  [
    'a ← a leaf, the old a is a result',
    problem({ a: matrix }, ({ a }) => ({ outputs: [a, mul(a, 2)], assign: { a: leaf(matrix, 'float32', 91) } })),
  ],
  ['a ← a constant', problem({ a: matrix }, () => ({ assign: { a: filled(3, matrix, 'float32') } }))],
  [
    'one value into two Variables and a result',
    problem({ a: matrix, b: matrix }, ({ a, b }) => {
      const value = add(a, b);
      return { outputs: [value], assign: { a: value, b: value } };
    }),
  ],
  ['a Variable that is only read', problem({ a: matrix, b: matrix }, ({ a }) => ({ outputs: [mul(a, 2)], assign: { b: mul(a, 3) } }))],
  ['a ← b, c ← a', problem({ a: matrix, b: matrix, c: matrix }, ({ a, b }) => ({ assign: { a: add(b, 1), c: add(a, 1) } }))],
  [
    'a product read after its operand is overwritten',
    problem({ a: square, b: square }, ({ a, b }) => {
      const y = matmul(a, b);
      return { outputs: [reduce('sum', y, 0)], assign: { a: sub(a, mul(y, 0.01)), b: relu(a) } };
    }),
  ],
  [
    'a running mean',
    problem({ m: [1, 9] }, ({ m }) => ({ assign: { m: add(mul(m, 0.9), mul(mean(leaf([50, 9], 'float32', 93), 0), 0.1)) } })),
  ],
  [
    'a table scattered into',
    problem({ table: [5, 4] }, ({ table }) => {
      const index = move.expand(given([0, 3, 3, 1], 'int32', [4, 1]), [4, 4]);
      return { assign: { table: combine.scatterAdd(table, index, leaf([4, 4], 'float32', 94), 0) } };
    }),
  ],
  ['a counter of int32 that wraps', single('int32', Int32Array.of(2147483646), [], (old) => ({ value: add(old, 1) }))],
  [
    'a mask of bool',
    single('bool', valuesOf('bool', 37, 92), [37], (old) => ({ outputs: [build.cast(old, 'float32')], value: build.apply('not', old) })),
  ],
  ['SGD with momentum', training(['momentum'], sgdWithMomentum)],
  ['Adam', training(['first', 'second'], adam)],
];

type Rule = (parameter: Node, gradientOf: Node, slots: readonly Node[]) => readonly Node[];

function sgdWithMomentum(parameter: Node, gradientOf: Node, [velocity = parameter]: readonly Node[]): readonly Node[] {
  const next = add(mul(velocity, 0.9), gradientOf);
  return [sub(parameter, mul(next, 0.01)), next];
}

function adam(parameter: Node, gradientOf: Node, [first = parameter, second = parameter]: readonly Node[]): readonly Node[] {
  const m = add(mul(first, 0.9), mul(gradientOf, 0.1));
  const v = add(mul(unary('abs', second), 0.999), mul(mul(gradientOf, gradientOf), 0.001));
  return [sub(parameter, mul(div(m, add(unary('sqrt', v), 1e-3)), 0.01)), m, v];
}

/** Two layers and a squared loss; a rule gives each parameter and its slots new values. */
function training(slotNames: readonly string[], rule: Rule): () => Problem {
  const parameters: Readonly<Record<string, Shape>> = { w: [12, 20], b: [1, 20], u: [20, 3] };
  const shapes = Object.fromEntries(
    Object.entries(parameters).flatMap(([name, shape]) => [name, ...slotNames.map((more) => `${name}.${more}`)].map((key) => [key, shape])),
  );
  return problem(shapes, (old) => {
    const of = (name: string): Node => old[name] ?? leaf([], 'float32', 0);
    const y = matmul(unary('tanh', add(matmul(leaf([8, 12], 'float32', 95), of('w')), of('b'))), of('u'));
    const error = sub(y, leaf([8, 3], 'float32', 96));
    const loss = mean(mul(error, error), 0, 1);
    const names = Object.keys(parameters);
    const gradients = gradient(loss, undefined, names.map(of));
    const assign: Record<string, Node> = {};
    names.forEach((name, i) => {
      const keys = [name, ...slotNames.map((more) => `${name}.${more}`)];
      const values = rule(of(name), gradients[i] ?? loss, keys.slice(1).map(of));
      keys.forEach((key, j) => (assign[key] = values[j] ?? loss));
    });
    return { outputs: [loss], assign };
  });
}

/** Several stores of one kernel, of one value, of different sizes. */
const several: readonly (readonly [string, (x: Node) => readonly Node[]])[] = [
  ['three of one size', (x) => [add(x, 1), mul(x, 2), exp(x)]],
  [
    'a value and what is computed from it',
    (x) => {
      const y = exp(x);
      return [y, add(y, 1), reduce('sum', y, 1)];
    },
  ],
  ['sums over different axes', (x) => [reduce('sum', x, 0), reduce('sum', x, 1), reduce('sum', x, 0, 1)]],
  ['sum, maximum and minimum over one axis', (x) => [reduce('sum', x, 1), reduce('maxReduce', x, 1), reduce('minReduce', x, 1)]],
  ['different dtypes', (x) => [build.cast(x, 'int32'), build.cast(x, 'uint8'), build.cast(x, 'bool'), build.cast(x, 'float64')]],
  [
    'a value and its transpose',
    (x) => {
      const y = exp(x);
      return [y, move.permute(y, [1, 0])];
    },
  ],
  [
    'slices of one value',
    (x) => {
      const y = exp(x);
      return [move.slice(y, [0, 0], [3, 9], [1, 1]), move.slice(y, [3, 0], [7, 9], [1, 1])];
    },
  ],
  ['twenty results', (x) => Array.from({ length: 20 }, (_, i) => add(mul(x, i), 1))],
];

function severalCases(): Case[] {
  return several.map(([shape, outputs]): Case => ({
    op: 'several results',
    dtype: 'float32',
    shape,
    direction: 'forward',
    tolerance: { ulps: 8, scale: 8 },
    build: () => ({ outputs: outputs(leaf(matrix, 'float32', 97)) }),
  }));
}

const close: Tolerance = { ulps: 32, scale: 8 };

export function assignCases(): Case[] {
  const assigned = programs.map(([shape, make]): Case => ({
    op: 'assign',
    dtype: 'mixed',
    shape,
    direction: 'forward',
    tolerance: close,
    build: make,
  }));
  return [...assigned, ...severalCases()];
}
