// Loop kernels written by hand: the order of reductions to the last bit, for every way in which they are generated.
import type { Affine, Dtype, Instruction, LoopKernel, ReduceCombine } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { WasmBackend } from '../backend.ts';
import { rough, runKernel } from '../testing/run-kernel.ts';

const backend = new WasmBackend({ threads: 1 });
const threaded = new WasmBackend({ threads: 3, delays: true });
afterAll(() => {
  backend.dispose();
  threaded.dispose();
});

const affine = (...strides: number[]): Affine => ({ offset: 0, strides });
const load = (buffer: number, index: Affine, dtype: Dtype = 'float32'): Instruction => ({ op: 'load', buffer, index, guards: [], fill: 0, dtype });

function reduction(parts: { loops: number[]; outer: number; vector: number; input: Affine; output: Affine; combine?: ReduceCombine }): LoopKernel {
  const { loops, outer, vector, input, output, combine = 'sum' } = parts;
  return {
    kind: 'loop', name: 'reduction', loops, outer, vector, rows: [], scatters: false,
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
    instructions: [load(0, input), { op: 'reduce', combine, input: 0, dtype: 'float32' }, { op: 'store', buffer: 1, index: output, input: 1, dtype: 'float32' }],
    stages: [1, 1, 2],
  };
}

/** Sum of rows in 32 lanes that persist from row to row, then halves. */
function laneSum(rows: readonly Float32Array[]): number {
  const lanes = new Float32Array(32);
  for (const row of rows) row.forEach((x, i) => (lanes[i % 32] = (lanes[i % 32] ?? 0) + x));
  for (const half of [16, 8, 4, 2, 1]) for (let i = 0; i < half; i++) lanes[i] = (lanes[i] ?? 0) + (lanes[i + half] ?? 0);
  return lanes[0] ?? 0;
}

describe('reductions along the vector loop', () => {
  it.each([1, 3, 4, 31, 32, 33, 64, 100, 1000, 4097])('sum %i elements in 32 lanes', (size) => {
    const x = rough(3 * size);
    const expected = Float32Array.from([0, 1, 2], (i) => laneSum([x.subarray(i * size, (i + 1) * size)]));
    for (const one of [backend, threaded]) {
      const out = new Float32Array(3);
      runKernel(one, reduction({ loops: [3, size], outer: 1, vector: 1, input: affine(size, 1), output: affine(1, 0) }), [x, out]);
      expect(out).toEqual(expected);
    }
  });

  it('keep their lanes over the loops outside of it', () => {
    const x = rough(2 * 5 * 45);
    const out = new Float32Array(2);
    runKernel(backend, reduction({ loops: [2, 5, 45], outer: 1, vector: 2, input: affine(225, 45, 1), output: affine(1, 0, 0) }), [x, out]);
    const row = (i: number, j: number) => x.subarray((i * 5 + j) * 45, (i * 5 + j + 1) * 45);
    expect(out).toEqual(Float32Array.from([0, 1], (i) => laneSum([0, 1, 2, 3, 4].map((j) => row(i, j)))));
  });

  it.each([5, 33, 100, 768, 2049])('sum twice and store in the same pass over %i elements', (size) => {
    const [x, y] = [rough(3 * size), rough(3 * size, 5)];
    const products = x.map((value, i) => value * (y[i] ?? 0));
    const rowsOf = (values: Float32Array) => Float32Array.from([0, 1, 2], (i) => laneSum([values.subarray(i * size, (i + 1) * size)]));
    const [along, once] = [affine(size, 1), affine(1, 0)];
    const write = (buffer: number, input: number, index: Affine): Instruction => ({ op: 'store', buffer, index, input, dtype: 'float32' });
    const sum = (input: number): Instruction => ({ op: 'reduce', combine: 'sum', input, dtype: 'float32' });
    const kernel: LoopKernel = {
      kind: 'loop', name: 'sums', loops: [3, size], outer: 1, vector: 1, rows: ['float32'], scatters: false,
      buffers: (['read', 'read', 'write', 'write', 'write', 'write'] as const).map((access) => ({ dtype: 'float32', access })),
      instructions: [
        load(0, along), load(1, along), { op: 'elementwise', name: 'mul', inputs: [0, 1], dtype: 'float32' }, sum(0), sum(2), write(2, 2, along),
        { op: 'keep', row: 0, input: 2, dtype: 'float32' }, write(3, 3, once), write(4, 4, once),
        { op: 'recall', row: 0, dtype: 'float32' }, { op: 'elementwise', name: 'sub', inputs: [9, 3], dtype: 'float32' }, write(5, 10, along),
      ],
      stages: [1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3],
    };
    for (const one of [backend, threaded]) {
      const out = [3 * size, 3, 3, 3 * size].map((length) => new Float32Array(length));
      runKernel(one, kernel, [x, y, ...out]);
      const sums = rowsOf(x);
      expect(out).toEqual([products, sums, rowsOf(products), products.map((value, i) => value - (sums[Math.floor(i / size)] ?? 0))]);
    }
  });

  const zeros = [-0, -0, -0, 0];
  const kinds: { name: string; value: (i: number, size: number) => number }[] = [
    { name: 'numbers of both signs', value: (i) => Math.sin(i * 12.9898) },
    { name: 'a NaN', value: (i, size) => (i === (size * 5) % 7 ? NaN : i) },
    { name: 'a negative NaN among infinities', value: (i, size) => (i === size - 1 ? -NaN : i % 2 === 0 ? Infinity : -Infinity) },
    { name: 'infinities', value: (i) => (i % 3 === 0 ? -Infinity : Infinity) },
    { name: 'nothing but −0', value: () => -0 },
    { name: 'nothing but +0', value: () => 0 },
    { name: 'zeros of both signs', value: (i) => zeros[i % 4] ?? 0 },
    { name: 'one +0 at the end of −0', value: (i, size) => (i === size - 1 ? 0 : -0) },
    { name: 'one −0 at the end of +0', value: (i, size) => (i === size - 1 ? -0 : 0) },
    { name: 'zeros above negative numbers', value: (i) => (i % 5 === 1 ? -0 : -i - 1) },
  ];

  it.each(kinds)('find max and min of $name', ({ value }) => {
    for (const size of [1, 2, 4, 7, 31, 32, 33, 64, 100, 1001]) {
      const x = Float32Array.from({ length: 2 * size }, (_, i) => value(i % size, size));
      for (const [combine, reference] of [['max', Math.max], ['min', Math.min]] as const) {
        const out = new Float32Array(2);
        runKernel(backend, reduction({ loops: [2, size], outer: 1, vector: 1, input: affine(size, 1), output: affine(1, 0), combine }), [x, out]);
        const expected = reference(...x);
        expect([...out], `${combine} of ${size}`).toEqual([expected, expected]);
      }
    }
  });
});

describe('reductions beside the vector loop', () => {
  it.each([
    { rows: 7, columns: 5 }, { rows: 100, columns: 33 }, { rows: 16, columns: 200 }, { rows: 1003, columns: 129 }, { rows: 131, columns: 1030 },
  ])('sum $rows rows of $columns in order', ({ rows, columns }) => {
    const x = rough(rows * columns);
    const expected = new Float32Array(columns);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) expected[j] = (expected[j] ?? 0) + (x[i * columns + j] ?? 0);
    for (const one of [backend, threaded]) {
      const out = new Float32Array(columns);
      runKernel(one, reduction({ loops: [columns, rows], outer: 1, vector: 0, input: affine(1, columns), output: affine(1, 0) }), [x, out]);
      expect(out).toEqual(expected);
    }
  });
});

describe('rows of scratch', () => {
  it.each([{ vector: 1, loops: [3, 50], input: affine(50, 1) }, { vector: 0, loops: [50, 3], input: affine(1, 50) }])('recall what was kept, vector loop $vector', ({ vector, loops, input }) => {
    const x = rough(150);
    const out = new Float32Array(150);
    const kernel: LoopKernel = {
      kind: 'loop', name: 'rows', loops, outer: 1, vector, rows: ['float32'], scatters: false,
      buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
      instructions: [
        load(0, input),
        { op: 'keep', row: 0, input: 0, dtype: 'float32' },
        { op: 'reduce', combine: 'max', input: 0, dtype: 'float32' },
        { op: 'recall', row: 0, dtype: 'float32' },
        { op: 'elementwise', name: 'sub', inputs: [3, 2], dtype: 'float32' },
        { op: 'store', buffer: 1, index: input, input: 4, dtype: 'float32' },
      ],
      stages: [1, 1, 1, 3, 3, 3],
    };
    runKernel(backend, kernel, [x, out]);
    const [count, length] = vector === 1 ? [3, 50] : [50, 3];
    const place = (i: number, j: number) => (vector === 1 ? i * 50 + j : j * 50 + i);
    for (let i = 0; i < count; i++) {
      const values = Array.from({ length }, (_, j) => x[place(i, j)] ?? 0);
      values.forEach((value, j) => expect(out[place(i, j)]).toBe(Math.fround(value - Math.max(...values))));
    }
  });
});
