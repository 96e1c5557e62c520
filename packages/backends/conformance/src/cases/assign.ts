// Several results of one program, and Variables: overwriting in place, swaps, chains, old values, many runs.
import { build, combine, gradient, move, type Node, type Shape, type TypedArray, type VariableSlot } from '@athanor/core/backend';
import { add, div, exp, matmul, mean, mul, reduce, relu, softmax, sub, unary } from '../compose.ts';
import type { Case, Problem, Tolerance } from '../problem.ts';
import { given, leaf, slot, valuesOf } from '../values.ts';
import { filled } from '../views.ts';

const read = (variable: VariableSlot): Node => build.read(variable, 0);

/** Variables by name, with seeded initial values. */
function variables<K extends string>(shapes: Readonly<Record<K, Shape>>): { readonly slots: Readonly<Record<K, VariableSlot>>; readonly initial: Map<VariableSlot, TypedArray> } {
  const initial = new Map<VariableSlot, TypedArray>();
  const entries = (Object.entries(shapes) as [K, Shape][]).map(([name, shape], i) => {
    const made = slot(name, shape, 'float32');
    initial.set(made, valuesOf('float32', shape.reduce((count, size) => count * size, 1), 80 + i));
    return [name, made] as const;
  });
  return { slots: Object.fromEntries(entries) as Record<K, VariableSlot>, initial };
}

const matrix: Shape = [7, 9];

const programs: readonly (readonly [string, () => Problem])[] = [
  ['p ← p − lr · g', () => { const { slots: { p }, initial } = variables({ p: [1030] }); return { outputs: [], assignments: [{ variable: p, value: sub(read(p), mul(leaf([1030], 'float32', 90), 0.1)) }], initial, runs: 3 }; }],
  ['a and b swap', () => { const { slots: { a, b }, initial } = variables({ a: matrix, b: matrix }); return { outputs: [], assignments: [{ variable: a, value: read(b) }, { variable: b, value: read(a) }], initial, runs: 3 }; }],
  ['a, b and c rotate', () => { const { slots: { a, b, c }, initial } = variables({ a: matrix, b: matrix, c: matrix }); return { outputs: [], assignments: [{ variable: a, value: read(b) }, { variable: b, value: read(c) }, { variable: c, value: read(a) }], initial, runs: 4 }; }],
  ['a ← a + b, b ← a − b of the old a', () => { const { slots: { a, b }, initial } = variables({ a: matrix, b: matrix }); return { outputs: [read(a)], assignments: [{ variable: a, value: add(read(a), read(b)) }, { variable: b, value: sub(read(a), read(b)) }], initial, runs: 3 }; }],
  ['a ← aᵀ', () => { const { slots: { a }, initial } = variables({ a: [9, 9] }); return { outputs: [], assignments: [{ variable: a, value: move.permute(read(a), [1, 0]) }], initial, runs: 3 }; }],
  ['a ← a shifted by one', () => { const { slots: { a }, initial } = variables({ a: [40] }); const shifted = move.pad(move.slice(read(a), [1], [40], [1]), [[0, 1]], 0); return { outputs: [], assignments: [{ variable: a, value: add(shifted, 1) }], initial, runs: 3 }; }],
  ['a ← a flipped', () => { const { slots: { a }, initial } = variables({ a: matrix }); return { outputs: [], assignments: [{ variable: a, value: move.flip(read(a), [0, 1]) }], initial, runs: 3 }; }],
  ['a ← a − its mean', () => { const { slots: { a }, initial } = variables({ a: matrix }); return { outputs: [mean(read(a), 0, 1)], assignments: [{ variable: a, value: sub(read(a), mean(read(a), 0, 1)) }], initial, runs: 2 }; }],
  ['a ← softmax of its rows', () => { const { slots: { a }, initial } = variables({ a: matrix }); return { outputs: [], assignments: [{ variable: a, value: softmax(read(a), 1) }], initial, runs: 2 }; }],
  ['a ← a · a', () => { const { slots: { a }, initial } = variables({ a: [9, 9] }); return { outputs: [], assignments: [{ variable: a, value: mul(matmul(read(a), read(a)), 0.1) }], initial, runs: 2 }; }],
  ['a ← a leaf, the old a is a result', () => { const { slots: { a }, initial } = variables({ a: matrix }); return { outputs: [read(a), mul(read(a), 2)], assignments: [{ variable: a, value: leaf(matrix, 'float32', 91) }], initial, runs: 2 }; }],
  ['a ← a constant', () => { const { slots: { a }, initial } = variables({ a: matrix }); return { outputs: [], assignments: [{ variable: a, value: filled(3, matrix, 'float32') }], initial }; }],
  ['one value into two Variables and a result', () => { const { slots: { a, b }, initial } = variables({ a: matrix, b: matrix }); const value = add(read(a), read(b)); return { outputs: [value], assignments: [{ variable: a, value }, { variable: b, value }], initial, runs: 2 }; }],
  ['a Variable that is only read', () => { const { slots: { a, b }, initial } = variables({ a: matrix, b: matrix }); return { outputs: [mul(read(a), 2)], assignments: [{ variable: b, value: mul(read(a), 3) }], initial, runs: 2 }; }],
  ['a ← b, c ← a', () => { const { slots: { a, b, c }, initial } = variables({ a: matrix, b: matrix, c: matrix }); return { outputs: [], assignments: [{ variable: a, value: add(read(b), 1) }, { variable: c, value: add(read(a), 1) }], initial, runs: 2 }; }],
  ['a product read after its operand is overwritten', () => { const { slots: { a, b }, initial } = variables({ a: [9, 9], b: [9, 9] }); const y = matmul(read(a), read(b)); return { outputs: [reduce('sum', y, 0)], assignments: [{ variable: a, value: sub(read(a), mul(y, 0.01)) }, { variable: b, value: relu(read(a)) }], initial, runs: 3 }; }],
  ['a counter of int32', () => { const counter = slot('counter', [], 'int32'); return { outputs: [], assignments: [{ variable: counter, value: add(build.read(counter, 0), 1) }], initial: new Map([[counter, Int32Array.of(2147483646)]]), runs: 3 }; }],
  ['a mask of bool', () => { const mask = slot('mask', [37], 'bool'); return { outputs: [build.cast(build.read(mask, 0), 'float32')], assignments: [{ variable: mask, value: build.apply('not', build.read(mask, 0)) }], initial: new Map([[mask, valuesOf('bool', 37, 92)]]), runs: 2 }; }],
  ['a running mean', () => { const { slots: { m }, initial } = variables({ m: [1, 9] }); return { outputs: [], assignments: [{ variable: m, value: add(mul(read(m), 0.9), mul(mean(leaf([50, 9], 'float32', 93), 0), 0.1)) }], initial, runs: 3 }; }],
  ['a table scattered into', () => { const { slots: { table }, initial } = variables({ table: [5, 4] }); const index = move.expand(given([0, 3, 3, 1], 'int32', [4, 1]), [4, 4]); return { outputs: [], assignments: [{ variable: table, value: combine.scatterAdd(read(table), index, leaf([4, 4], 'float32', 94), 0) }], initial, runs: 2 }; }],
  ['SGD with momentum on a linear model', () => trainingStep((p, g, [m]) => { const momentum = add(mul(m ?? p, 0.9), g); return [sub(p, mul(momentum, 0.01)), momentum]; })],
  ['Adam on a linear model', () => trainingStep((p, g, [m, v]) => { const first = add(mul(m ?? p, 0.9), mul(g, 0.1)); const second = add(mul(unary('abs', v ?? p), 0.999), mul(mul(g, g), 0.001)); return [sub(p, mul(div(first, add(unary('sqrt', second), 1e-3)), 0.01)), first, second]; })],
];

/** Two layers, a squared loss, and a rule for each parameter and its slots. */
function trainingStep(rule: (parameter: Node, gradientOf: Node, slots: readonly Node[]) => readonly Node[]): Problem {
  const { slots, initial } = variables({ w: [12, 20], b: [1, 20], u: [20, 3], wm: [12, 20], wv: [12, 20], bm: [1, 20], bv: [1, 20], um: [20, 3], uv: [20, 3] });
  const [w, b, u] = [read(slots.w), read(slots.b), read(slots.u)];
  const y = matmul(unary('tanh', add(matmul(leaf([8, 12], 'float32', 95), w), b)), u);
  const error = sub(y, leaf([8, 3], 'float32', 96));
  const loss = mean(mul(error, error), 0, 1);
  const gradients = gradient(loss, undefined, [w, b, u]);
  const slotsOf = [[slots.w, slots.wm, slots.wv], [slots.b, slots.bm, slots.bv], [slots.u, slots.um, slots.uv]] as const;
  const assignments = slotsOf.flatMap(([parameter, ...more], i) => {
    const values = rule(read(parameter), gradients[i] ?? loss, more.map(read));
    return values.flatMap((value, j) => { const variable = [parameter, ...more][j]; return variable === undefined ? [] : [{ variable, value }]; });
  });
  const used = new Set(assignments.map(({ variable }) => variable));
  return { outputs: [loss], assignments, initial: new Map([...initial].filter(([variable]) => used.has(variable))), runs: 3 };
}

/** Several stores of one kernel, of one value, of different sizes. */
const several: readonly (readonly [string, (x: Node) => readonly Node[]])[] = [
  ['three of one size', (x) => [add(x, 1), mul(x, 2), exp(x)]],
  ['a value and what is computed from it', (x) => { const y = exp(x); return [y, add(y, 1), reduce('sum', y, 1)]; }],
  ['sums over different axes', (x) => [reduce('sum', x, 0), reduce('sum', x, 1), reduce('sum', x, 0, 1)]],
  ['sum, maximum and minimum over one axis', (x) => [reduce('sum', x, 1), reduce('maxReduce', x, 1), reduce('minReduce', x, 1)]],
  ['different dtypes', (x) => [build.cast(x, 'int32'), build.cast(x, 'uint8'), build.cast(x, 'bool'), build.cast(x, 'float64')]],
  ['a value and its transpose', (x) => { const y = exp(x); return [y, move.permute(y, [1, 0])]; }],
  ['slices of one value', (x) => { const y = exp(x); return [move.slice(y, [0, 0], [3, 9], [1, 1]), move.slice(y, [3, 0], [7, 9], [1, 1])]; }],
  ['twenty results', (x) => Array.from({ length: 20 }, (_, i) => add(mul(x, i), 1))],
];

function severalCases(): Case[] {
  return several.map(([shape, outputs]): Case => ({ op: 'several results', dtype: 'float32', shape, direction: 'forward', tolerance: { ulps: 8, scale: 8 }, build: () => ({ outputs: outputs(leaf(matrix, 'float32', 97)) }) }));
}

const close: Tolerance = { ulps: 32, scale: 8 };

export function assignCases(): Case[] {
  const assigned = programs.map(([shape, problem]): Case => ({ op: 'assign', dtype: 'mixed', shape, direction: 'forward', tolerance: close, build: problem }));
  return [...assigned, ...severalCases()];
}
