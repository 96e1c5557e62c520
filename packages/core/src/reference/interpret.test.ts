// Every op of the interpreter against answers written out by hand, edge cases of docs/OPS.md included.
import { expect, test } from 'vitest';
import { integerRange, type Dtype } from '../dtype.ts';
import { apply, bitcast, cast, data, iota, randomBits, read, reduce, where } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import { conv, cumulative, dot, gather, scatterAdd, sort } from '../graph/combine.ts';
import type { ConvAttributes, VariableSlot } from '../graph/node.ts';
import { expand, flip, pad, permute, reshape, slice, window } from '../graph/move.ts';
import { evaluate, leaf, randomLeaf } from '../testing/evaluate.ts';
import { referenceBackend } from './backend.ts';
import { interpretAll } from './interpret.ts';

const infinity = Number.POSITIVE_INFINITY;
const int = (values: readonly number[], dtype: Dtype = 'int32', shape = [values.length]) => leaf(values, shape, dtype);
const matrix = leaf([0, 1, 2, 3, 4, 5], [2, 3]);

test('integers wrap, their division by zero is 0, and division floors', () => {
  expect(evaluate(apply('add', int([integerRange.int32.high]), int([1])))).toEqual([integerRange.int32.low]);
  expect(evaluate(apply('mul', int([123456789]), int([987654321])))).toEqual([Math.imul(123456789, 987654321)]);
  expect(evaluate(apply('sub', int([0], 'uint8'), int([1], 'uint8')))).toEqual([255]);
  expect(evaluate(apply('mul', int([100], 'int8'), int([3], 'int8')))).toEqual([44]);
  expect(evaluate(apply('neg', int([-128], 'int8')))).toEqual([-128]);
  expect(evaluate(apply('abs', int([integerRange.int32.low])))).toEqual([integerRange.int32.low]);
  expect(evaluate(apply('floorDivide', int([7, -7, 7, 5]), int([2, 2, -2, 0])))).toEqual([3, -4, -4, 0]);
  expect(evaluate(apply('mod', int([7, -7, 7, 5]), int([3, 3, -3, 0])))).toEqual([1, 2, -2, 0]);
  expect(evaluate(apply('floorDivide', int([integerRange.int32.low]), int([-1])))).toEqual([integerRange.int32.low]);
});

test('bits', () => {
  expect(evaluate(apply('popcount', int([0, 1, -1, 255])))).toEqual([0, 1, 32, 8]);
  expect(evaluate(apply('popcount', int([-1, 3], 'int8')))).toEqual([8, 2]);
  expect(evaluate(apply('shr', int([-8]), int([1])))).toEqual([-4]);
  expect(evaluate(apply('ushr', int([-8]), int([1])))).toEqual([0x7ffffffc]);
  expect(evaluate(apply('ushr', int([-2], 'int8'), int([1], 'int8')))).toEqual([127]);
  expect(evaluate(apply('shl', int([1]), int([33])))).toEqual([2]);
  expect(evaluate(apply('not', int([0, 1], 'bool')))).toEqual([1, 0]);
  expect(evaluate(apply('not', int([0, 5], 'uint8')))).toEqual([255, 250]);
  expect(evaluate(apply('xor', int([1, 1], 'bool'), int([0, 1], 'bool')))).toEqual([1, 0]);
});

test('NaN wins maxima and minima, and only differs in comparisons', () => {
  const [a, b] = [leaf([NaN, 1, 2, -0]), leaf([1, NaN, 3, 0])];
  expect(evaluate(apply('max', a, b))).toEqual([NaN, NaN, 3, 0]);
  expect(evaluate(apply('min', a, b))).toEqual([NaN, NaN, 2, -0]);
  expect(evaluate(apply('ne', a, b))).toEqual([1, 1, 1, 0]);
  expect(evaluate(apply('eq', a, a))).toEqual([0, 1, 1, 1]);
  expect(evaluate(reduce('maxReduce', leaf([1, NaN, 2]), [0]))).toEqual([NaN]);
  expect(evaluate(where(apply('lt', a, b), a, b))).toEqual([1, NaN, 2, 0]);
});

test('rounding, powers and special functions', () => {
  expect(evaluate(apply('round', leaf([0.5, 1.5, -0.5, 2.5, -1.6])))).toEqual([0, 2, -0, 2, -2]);
  expect(evaluate(apply('sign', leaf([-3, 0, 2, NaN])))).toEqual([-1, 0, 1, NaN]);
  expect(evaluate(apply('pow', leaf([1, 0, 2, -8]), leaf([NaN, 0, -1, 1 / 3])))).toEqual([1, 1, 0.5, NaN]);
  expect(evaluate(apply('erf', leaf([0.5, -2, 3.5])))).toEqual([
    expect.closeTo(0.5204998778130465, 15),
    expect.closeTo(-0.9953222650189527, 15),
    expect.closeTo(0.9999992569016276, 15),
  ]);
});

test('casts truncate and saturate, NaN becomes 0, anything but 0 is true', () => {
  const x = leaf([1.9, -1.9, 300, -300, NaN, infinity, 1e10]);
  expect(evaluate(cast(x, 'uint8'))).toEqual([1, 0, 255, 0, 0, 255, 255]);
  expect(evaluate(cast(x, 'int8'))).toEqual([1, -1, 127, -128, 0, 127, 127]);
  expect(evaluate(cast(x, 'int32'))).toEqual([1, -1, 300, -300, 0, integerRange.int32.high, integerRange.int32.high]);
  expect(evaluate(cast(leaf([0, -0, 0.1, NaN]), 'bool'))).toEqual([0, 0, 1, 1]);
  expect(evaluate(cast(int([-5, 300]), 'uint8'))).toEqual([0, 255]);
  expect(evaluate(bitcast(leaf([1, -0, 0.1], [3], 'float32'), 'int32'))).toEqual([0x3f800000, -2147483648, 0x3dcccccd]);
  expect(evaluate(bitcast(int([200], 'uint8'), 'int8'))).toEqual([-56]);
});

test('reductions keep axes, wrap, and are empty sums and products over nothing', () => {
  expect(evaluate(reduce('sum', matrix, [0]))).toEqual([3, 5, 7]);
  expect(evaluate(reduce('prod', matrix, [1]))).toEqual([0, 60]);
  expect(evaluate(reduce('minReduce', matrix, [0, 1]))).toEqual([0]);
  expect(reduce('sum', matrix, [1]).shape).toEqual([2, 1]);
  expect(evaluate(reduce('sum', leaf([], [0, 2]), [0]))).toEqual([0, 0]);
  expect(evaluate(reduce('prod', leaf([], [0, 2]), [0]))).toEqual([1, 1]);
  expect(evaluate(reduce('sum', int([200, 100], 'uint8'), [0]))).toEqual([44]);
  expect(evaluate(reduce('maxReduce', int([0, 1], 'bool'), [0]))).toEqual([1]);
});

test('movement', () => {
  expect(evaluate(permute(matrix, [1, 0]))).toEqual([0, 3, 1, 4, 2, 5]);
  expect(evaluate(expand(reshape(leaf([7, 8]), [2, 1]), [2, 3]))).toEqual([7, 7, 7, 8, 8, 8]);
  expect(evaluate(pad(leaf([1, 2], [1, 2]), [[1, 0], [0, 1]], -infinity))).toEqual([-infinity, -infinity, -infinity, 1, 2, -infinity]);
  expect(evaluate(slice(matrix, [1, 0], [2, 3], [1, 2]))).toEqual([3, 5]);
  expect(evaluate(flip(matrix, [0, 1]))).toEqual([5, 4, 3, 2, 1, 0]);
  const windows = window(leaf([0, 1, 2, 3, 4, 5, 6]), 0, { size: 2, stride: 2, dilation: 3 });
  expect(windows.shape).toEqual([2, 2]);
  expect(evaluate(windows)).toEqual([0, 3, 2, 5]);
  expect(evaluate(window(matrix, 0, { size: 2 }))).toEqual([0, 3, 1, 4, 2, 5]);
  expect(evaluate(iota(4))).toEqual([0, 1, 2, 3]);
});

test('gather clamps, scatterAdd drops, both tell', () => {
  const index = int([2, 0, 1, 2], 'int32', [2, 2]);
  expect(evaluate(gather(matrix, index, 1))).toEqual([2, 0, 4, 5]);
  expect(evaluate(gather(matrix, int([1, 0], 'int32', [1, 2]), 0))).toEqual([3, 1]);
  expect(evaluate(scatterAdd(leaf([10, 20, 30]), int([2, 0, 2]), leaf([1, 2, 3]), 0))).toEqual([12, 20, 34]);
  const flagged = (node: ReturnType<typeof gather>) => {
    const graph = canonicalize({ outputs: [node], assignments: [] });
    return interpretAll(graph, graph.inputs.map((input) => (input.op === 'data' ? (input.attributes.leaf.data ?? []) : [])), []);
  };
  const gathered = flagged(gather(leaf([5, 6, 7]), int([-1, 3, 1]), 0));
  expect([gathered.outOfRange, ...(gathered.outputs[0] ?? [])]).toEqual([true, 5, 7, 6]);
  const scattered = flagged(scatterAdd(leaf([0, 0]), int([-1, 2, 1]), leaf([1, 1, 1]), 0));
  expect([scattered.outOfRange, ...(scattered.outputs[0] ?? [])]).toEqual([true, 0, 1]);
});

test('dot: batch, free and contracted axes in any order; integer and binary combines', () => {
  const a = randomLeaf([2, 3, 4, 5], 1);
  const b = randomLeaf([5, 6, 3, 4], 2);
  const node = dot(a, b, { batch: [[1, 2]], contract: [[3, 0], [2, 3]], combine: 'multiply-add' });
  expect(node.shape).toEqual([3, 2, 6]);
  const [x, y, out] = [evaluate(a), evaluate(b), evaluate(node)];
  for (const [n, i, j] of [[0, 0, 0], [2, 1, 5], [1, 0, 3]] as const) {
    let total = 0;
    for (let k = 0; k < 5; k++) for (let l = 0; l < 4; l++) total += (x[((i * 3 + n) * 4 + l) * 5 + k] ?? 0) * (y[((k * 6 + j) * 3 + n) * 4 + l] ?? 0);
    expect(out[(n * 2 + i) * 6 + j]).toBeCloseTo(total, 12);
  }
  const options = { batch: [], contract: [[0, 0]] } as const;
  expect(evaluate(dot(int([127, 127], 'int8'), int([127, -128], 'int8'), { ...options, combine: 'multiply-add' }))).toEqual([-127]);
  expect(evaluate(dot(int([0b1010, -1]), int([0b0110, 0]), { ...options, combine: 'xor-popcount' }))).toEqual([34]);
});

test('conv against its definition: stride, negative padding, both dilations, groups', () => {
  const attributes: ConvAttributes = { stride: [2, 1], padding: [[2, -1], [-1, 3]], inputDilation: [2, 3], kernelDilation: [1, 2], combine: 'multiply-add' };
  const x = randomLeaf([2, 3, 2, 4, 3], 3);
  const weight = randomLeaf([3, 2, 2, 3, 2], 4);
  const node = conv(x, weight, attributes);
  const [rows = 0, columns = 0] = node.shape.slice(3);
  const [values, weights, out] = [evaluate(x), evaluate(weight), evaluate(node)];
  const at = (n: number, g: number, c: number, row: number, column: number): number => {
    const [i, j] = [(row - 2) / 2, (column + 1) / 3];
    const inside = Number.isInteger(i) && Number.isInteger(j) && i >= 0 && i < 4 && j >= 0 && j < 3;
    return inside ? (values[(((n * 3 + g) * 2 + c) * 4 + i) * 3 + j] ?? 0) : 0;
  };
  let position = 0;
  for (let n = 0; n < 2; n++)
    for (let g = 0; g < 3; g++)
      for (let o = 0; o < 2; o++)
        for (let p = 0; p < rows; p++)
          for (let q = 0; q < columns; q++) {
            let total = 0;
            for (let c = 0; c < 2; c++)
              for (let k = 0; k < 3; k++)
                for (let l = 0; l < 2; l++) total += at(n, g, c, 2 * p + k, q + 2 * l) * (weights[(((g * 2 + o) * 2 + c) * 3 + k) * 2 + l] ?? 0);
            expect(out[position++]).toBeCloseTo(total, 12);
          }
  expect(position).toBe(out.length);
});

test('sort is stable with NaN last; cumulative carries NaN on', () => {
  const x = leaf([2, NaN, 1, 2, -1]);
  const order = (descending: boolean) => evaluate(sort(x, { axis: 0, descending, output: 'indices' }));
  expect(order(false)).toEqual([4, 2, 0, 3, 1]);
  expect(order(true)).toEqual([0, 3, 2, 4, 1]);
  expect(evaluate(sort(matrix, { axis: 0, descending: true, output: 'values' }))).toEqual([3, 4, 5, 0, 1, 2]);
  const running = (combine: 'sum' | 'prod' | 'max' | 'min') => evaluate(cumulative(leaf([3, 1, 4, NaN, 5]), { axis: 0, combine }));
  expect(running('sum')).toEqual([3, 4, 8, NaN, NaN]);
  expect(running('prod')).toEqual([3, 3, 12, NaN, NaN]);
  expect(running('max')).toEqual([3, 3, 4, NaN, NaN]);
  expect(running('min')).toEqual([3, 1, 1, NaN, NaN]);
  expect(evaluate(cumulative(matrix, { axis: 1, combine: 'sum' }))).toEqual([0, 1, 3, 3, 7, 12]);
  expect(evaluate(cumulative(int([200, 100], 'uint8'), { axis: 0, combine: 'sum' }))).toEqual([200, 44]);
});

test('random bits are word 0 of Threefry at [element, counter]', () => {
  // Published answer for key 0, counter 0: 6b200159 99ba4efe.
  expect(evaluate(randomBits(int([0, 0]), int([0], 'int32', []), [1]))).toEqual([0x6b200159]);
  const bits = evaluate(randomBits(int([1, 2]), int([9], 'int32', []), [2, 3]));
  expect(new Set(bits).size).toBe(6);
});

test('the backend reads old values, writes at the end, and converts when read', () => {
  const backend = referenceBackend();
  const slot: VariableSlot = { id: 1, name: 'weight', shape: [2], dtype: 'float32' };
  const x = data(undefined, [2], 'float32');
  const sum = apply('add', read(slot, 0), x);
  const graph = canonicalize({ outputs: [read(slot, 0), sum], assignments: [{ variable: slot, value: sum }] });
  const [weight, old, renewed] = [backend.allocate(8), backend.allocate(8), backend.allocate(8)];
  backend.write(weight, Float32Array.of(1, 2));
  void backend.run(backend.compile(graph), { inputs: [Float32Array.of(0.1, 10)], variables: [weight], outputs: [old, renewed] });
  expect(backend.read(old, 'float32', 2)).toEqual(Float32Array.of(1, 2));
  expect(backend.read(weight, 'float32', 2)).toEqual(Float32Array.of(1.1, 12));
  expect(backend.read(renewed, 'float32', 2)).toEqual(Float32Array.of(1.1, 12));
  expect(backend.memory()).toEqual({ arena: 0, owned: 24, allocations: 3 });
  backend.free(old);
  expect(backend.memory().owned).toBe(16);
  const wrong = canonicalize({ outputs: [gather(x, int([2]), 0)], assignments: [] });
  const binding = { inputs: [Float32Array.of(1, 2), Int32Array.of(2)], variables: [], outputs: [renewed] };
  expect(() => backend.run(backend.compile(wrong), binding)).toThrow('an index of gather or scatterAdd was out of range');
});
