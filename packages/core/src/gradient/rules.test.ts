// Every rule of the gradient table against central finite differences in float64, in both float dtypes.
import { expect, test } from 'vitest';
import type { Dtype } from '../dtype.ts';
import { apply, cast, reduce, where } from '../graph/build.ts';
import { allReduce, cholesky, conv, cumulative, dot, eigh, gather, scatterAdd, sort, triangularSolve } from '../graph/combine.ts';
import type { BinaryOp, ElementwiseOp, UnaryOp } from '../graph/elementwise.ts';
import { expand, flip, pad, permute, reshape, slice, window } from '../graph/move.ts';
import type { ConvAttributes, Node, Op } from '../graph/node.ts';
import { evaluateAll, leaf, randomLeaf } from '../testing/evaluate.ts';
import { distinctLeaf, firstDerivative, gradientError } from '../testing/gradients.ts';
import { gradient } from './gradient.ts';
import { add, matmul, mul, scale, transpose } from './helpers.ts';
import { rules } from './rules.ts';

interface Case {
  readonly op: Op;
  readonly name: string;
  readonly make: (dtype: Dtype) => { readonly output: Node; readonly leaves: readonly Node[] };
}

const cases: Case[] = [];

function addCase(op: Op, name: string, leaves: (dtype: Dtype) => readonly Node[], build: (...inputs: Node[]) => Node): void {
  cases.push({
    op,
    name,
    make: (dtype) => {
      const inputs = leaves(dtype);
      return { output: build(...inputs), leaves: inputs };
    },
  });
}

const shapes = [[], [5], [2, 3]] as const;

const unaryRange: Partial<Record<UnaryOp, { scale: number; shift: number }>> = {
  sqrt: { scale: 1, shift: 1.5 },
  log: { scale: 1, shift: 1.5 },
  log1p: { scale: 0.9, shift: 0 },
};
for (const op of ['neg', 'abs', 'sqrt', 'exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'atan', 'tanh', 'erf'] as const satisfies UnaryOp[]) {
  for (const shape of shapes) {
    const { scale: range, shift } = unaryRange[op] ?? { scale: 2, shift: 0.01 };
    addCase(op, `[${shape}]`, (dtype) => [randomLeaf(shape, 3 + shape.length, { dtype, scale: range, shift })], (x) => apply(op, x));
  }
}
for (const op of ['sign', 'floor', 'ceil', 'round', 'trunc'] as const satisfies UnaryOp[]) {
  test(`${op} has no gradient`, () => {
    const x = leaf([-1.3, 0.4, 2.6]);
    expect(gradient(apply(op, x), undefined, [x])).toEqual([undefined]);
  });
}
for (const op of ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow'] as const satisfies BinaryOp[]) {
  for (const shape of shapes) {
    const shift = op === 'pow' || op === 'div' ? 1.6 : 0;
    addCase(op, `[${shape}]`, (dtype) => [randomLeaf(shape, 5, { dtype, shift }), randomLeaf(shape, 6, { dtype, shift })], (a, b) => apply(op, a, b));
  }
  addCase(op, 'with itself', (dtype) => [randomLeaf([4], 5, { dtype, shift: 1.6 })], (a) => (op === 'max' || op === 'min' ? apply(op, a, scale(a, 2)) : apply(op, a, a)));
}
addCase('pow', 'of zero and negatives', (dtype) => [leaf([0, -1.5, 0, -2], [4], dtype)], (a) => apply('pow', a, leaf([2, 3, 1, 0], [4], a.dtype)));
addCase('where', 'both branches', (dtype) => [randomLeaf([6], 1, { dtype }), randomLeaf([6], 2, { dtype })], (a, b) => where(apply('lt', leaf([0, 1, 2, 3, 4, 5]), leaf([3, 3, 1, 1, 9, 0])), a, b));
addCase('cast', 'float to float', () => [randomLeaf([4], 1, { dtype: 'float32' })], (x) => apply('sin', cast(x, 'float64')));

const reductions = [[0], [1], [0, 2], [0, 1, 2]] as const;
for (const axes of reductions) {
  for (const op of ['sum', 'prod', 'maxReduce', 'minReduce'] as const) {
    addCase(op, `over ${axes}`, (dtype) => [distinctLeaf([2, 3, 4], 4 + axes.length, { dtype })], (x) => reduce(op, x, axes));
  }
}
addCase('prod', 'with zeros', (dtype) => [leaf([2, 0, 3, 0, 0, 5, 1, 2, 3], [3, 3], dtype)], (x) => reduce('prod', x, [1]));
addCase('cumulative', 'prod with zeros', (dtype) => [leaf([2, 0, 3, 0, 4], [5], dtype)], (x) => cumulative(x, { axis: 0, combine: 'prod' }));
for (const combine of ['sum', 'prod', 'max', 'min'] as const) {
  for (const axis of [0, 1]) {
    addCase('cumulative', `${combine} along ${axis}`, (dtype) => [distinctLeaf([3, 4, 2], 7 + axis, { dtype })], (x) => cumulative(x, { axis, combine }));
  }
}
for (const descending of [true, false]) {
  addCase('sort', `descending ${descending}`, (dtype) => [distinctLeaf([3, 4], 9, { dtype })], (x) => sort(x, { axis: 1, descending, output: 'values' }));
}

addCase('reshape', '', (dtype) => [randomLeaf([2, 6], 1, { dtype })], (x) => reshape(x, [3, 4]));
addCase('permute', '', (dtype) => [randomLeaf([2, 3, 4], 1, { dtype })], (x) => permute(x, [2, 0, 1]));
addCase('expand', '', (dtype) => [randomLeaf([1, 3, 1], 1, { dtype })], (x) => expand(x, [2, 3, 4]));
addCase('expand', 'to nothing', (dtype) => [randomLeaf([1, 3], 1, { dtype })], (x) => expand(x, [0, 3]));
addCase('pad', '', (dtype) => [randomLeaf([2, 3], 1, { dtype })], (x) => pad(x, [[1, 0], [2, 3]], 5));
addCase('slice', 'strided', (dtype) => [randomLeaf([5, 7], 1, { dtype })], (x) => slice(x, [1, 0], [4, 7], [2, 3]));
addCase('slice', 'empty', (dtype) => [randomLeaf([5], 1, { dtype })], (x) => slice(x, [5], [5], [1]));
addCase('flip', '', (dtype) => [randomLeaf([3, 4], 1, { dtype })], (x) => flip(x, [1]));
for (const options of [{ size: 3 }, { size: 2, stride: 2 }, { size: 2, stride: 3 }, { size: 3, stride: 2, dilation: 2 }, { size: 7 }, { size: 1, stride: 7 }]) {
  addCase('window', JSON.stringify(options), (dtype) => [randomLeaf([2, 7, 2], 1, { dtype })], (x) => window(x, 1, options));
}
const index = leaf([2, 0, 1, 2, 2, 0], [3, 2], 'int32');
addCase('gather', '', (dtype) => [randomLeaf([3, 3], 1, { dtype })], (x) => gather(x, index, 1));
addCase('gather', 'shorter on other axes', (dtype) => [randomLeaf([3, 4], 1, { dtype })], (x) => gather(x, leaf([2, 1], [1, 2], 'int32'), 0));
addCase('scatterAdd', '', (dtype) => [randomLeaf([3, 3], 1, { dtype }), randomLeaf([3, 2], 2, { dtype })], (base, source) => scatterAdd(base, index, source, 1));

const multiplyAdd = 'multiply-add';
addCase('dot', 'matrix product', (dtype) => [randomLeaf([2, 3], 1, { dtype }), randomLeaf([3, 4], 2, { dtype })], (a, b) => dot(a, b, { batch: [], contract: [[1, 0]], combine: multiplyAdd }));
addCase('dot', 'linear layer', (dtype) => [randomLeaf([2, 3], 1, { dtype }), randomLeaf([4, 3], 2, { dtype })], (a, b) => dot(a, b, { batch: [], contract: [[1, 1]], combine: multiplyAdd }));
addCase('dot', 'outer product', (dtype) => [randomLeaf([2], 1, { dtype }), randomLeaf([3], 2, { dtype })], (a, b) => dot(a, b, { batch: [], contract: [], combine: multiplyAdd }));
addCase(
  'dot',
  'scattered axes',
  (dtype) => [randomLeaf([2, 3, 4, 5, 2], 1, { dtype }), randomLeaf([5, 2, 3, 4], 2, { dtype })],
  (a, b) => dot(a, b, { batch: [[1, 2]], contract: [[3, 0], [2, 3]], combine: multiplyAdd }),
);

const plain: ConvAttributes = { stride: [1, 1], padding: [[0, 0], [0, 0]], inputDilation: [1, 1], kernelDilation: [1, 1], combine: multiplyAdd };
const convolutions: Record<string, { attributes: Partial<ConvAttributes>; x?: number[]; weight?: number[] }> = {
  plain: { attributes: {} },
  'padded and strided': { attributes: { stride: [2, 3], padding: [[1, 1], [2, 0]] } },
  'a stride that leaves elements over': { attributes: { stride: [3, 2], padding: [[0, 1], [0, 0]] } },
  dilated: { attributes: { kernelDilation: [2, 1], padding: [[2, 2], [1, 1]] } },
  'transposed, negative padding': { attributes: { inputDilation: [2, 3], padding: [[-1, 2], [1, -2]] } },
  groups: { attributes: { padding: [[1, 1], [1, 1]] }, x: [2, 3, 2, 4, 3], weight: [3, 2, 2, 3, 2] },
  depthwise: { attributes: {}, x: [1, 4, 1, 3, 4], weight: [4, 1, 1, 2, 2] },
  everything: { attributes: { stride: [2, 1], padding: [[2, -1], [-1, 3]], inputDilation: [2, 3], kernelDilation: [1, 2] }, x: [2, 2, 2, 4, 3], weight: [2, 2, 2, 3, 2] },
  'larger padding than kernel': { attributes: { padding: [[3, 3], [4, 0]] } },
};
for (const [name, { attributes, x = [2, 1, 2, 5, 4], weight = [1, 3, 2, 3, 2] }] of Object.entries(convolutions)) {
  addCase('conv', name, (dtype) => [randomLeaf(x, 1, { dtype }), randomLeaf(weight, 2, { dtype })], (input, kernel) => conv(input, kernel, { ...plain, ...attributes }));
}
addCase('conv', 'one-dimensional', (dtype) => [randomLeaf([2, 1, 2, 6], 1, { dtype }), randomLeaf([1, 2, 2, 3], 2, { dtype })], (x, w) =>
  conv(x, w, { stride: [2], padding: [[1, 1]], inputDilation: [1], kernelDilation: [1], combine: multiplyAdd }));

const symmetric = (x: Node): Node => add(x, transpose(x));
const positive = (x: Node): Node => add(matmul(x, transpose(x)), leaf([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1], [2, 3, 3], x.dtype));
for (const output of ['values', 'vectors'] as const) {
  addCase('eigh', output, (dtype) => [randomLeaf([2, 3, 3], 2, { dtype })], (x) => eigh(symmetric(x), output));
}
addCase('eigh', 'of its symmetric part', (dtype) => [randomLeaf([3, 3], 2, { dtype })], (x) => eigh(x, 'vectors'));
addCase('allReduce', 'alone', (dtype) => [randomLeaf([2, 3], 2, { dtype })], (x) => allReduce(x));
addCase('cholesky', '', (dtype) => [randomLeaf([2, 3, 3], 2, { dtype })], (x) => cholesky(positive(x)));
for (const lower of [true, false])
  for (const turned of [true, false])
    for (const unitDiagonal of [true, false]) {
      const attributes = { lower, transpose: turned, unitDiagonal };
      addCase('triangularSolve', JSON.stringify(attributes), (dtype) => [randomLeaf([2, 3, 3], 3, { dtype, shift: 1.7 }), randomLeaf([2, 3, 2], 2, { dtype })], (a, b) => triangularSolve(a, b, attributes));
    }

test('every op that has a rule has a case', () => {
  const covered = new Set(cases.map(({ op }) => op));
  const ruled = (Object.keys(rules) as Op[]).filter((op) => rules[op].length > 0);
  expect(ruled.filter((op) => !covered.has(op))).toEqual([]);
});

test.each(cases.flatMap((one) => (['float64', 'float32'] as const).map((dtype) => ({ ...one, dtype }))))('$op $name, $dtype', ({ make, dtype }) => {
  expect(gradientError(make(dtype))).toBeLessThan(1e-6);
});

const twice = cases.filter(({ op, name }) => !['sort', 'expand'].includes(op) && !name.startsWith('of zero'));
test.each(twice)('second derivative of $op $name', ({ make }) => {
  const { output, leaves } = make('float64');
  // A square makes the first derivative depend on the point where the op itself is linear.
  const bent = mul(output, output);
  const first = firstDerivative(bent, leaves, (parts) => parts.map((part) => reduce('sum', mul(part, part), [...part.shape.keys()])).map((part) => reshape(part, [])).reduce(add));
  expect(gradientError({ output: first, leaves, step: 1e-4 })).toBeLessThan(1e-5);
});

test('ties go to the first operand and the first element', () => {
  const [a, b] = [leaf([1, 2, 3]), leaf([1, 5, 0])];
  const ofMax = (op: ElementwiseOp) => evaluateAll(gradient(apply(op, a, b), undefined, [a, b]).flatMap((node) => node ?? [])).map((values) => [...values]);
  expect(ofMax('max')).toEqual([[1, 0, 1], [0, 1, 0]]);
  expect(ofMax('min')).toEqual([[1, 1, 0], [0, 0, 1]]);
  const x = leaf([3, 1, 3, 3, 1, 1], [2, 3]);
  const ofReduce = (op: 'maxReduce' | 'minReduce', axes: number[]) => [...(evaluateAll(gradient(reduce(op, x, axes), undefined, [x]).flatMap((node) => node ?? []))[0] ?? [])];
  expect(ofReduce('maxReduce', [1])).toEqual([1, 0, 0, 1, 0, 0]);
  expect(ofReduce('maxReduce', [0, 1])).toEqual([1, 0, 0, 0, 0, 0]);
  expect(ofReduce('minReduce', [0, 1])).toEqual([0, 1, 0, 0, 0, 0]);
  const climbing = leaf([1, 1, 2, 2]);
  const running = gradient(cumulative(climbing, { axis: 0, combine: 'max' }), undefined, [climbing]);
  expect([...(evaluateAll(running.flatMap((node) => node ?? []))[0] ?? [])]).toEqual([2, 0, 2, 0]);
  const zeros = leaf([0, 0]);
  expect([...(evaluateAll(gradient(apply('abs', zeros), undefined, [zeros]).flatMap((node) => node ?? []))[0] ?? [])]).toEqual([0, 0]);
});
