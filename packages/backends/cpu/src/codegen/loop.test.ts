// Generated loop kernels against loops written by hand: order of reductions, strips, guards, scratch rows, scatter.
import {
  arrayOf,
  type Affine,
  type BufferParameter,
  type Dtype,
  type Instruction,
  type LoopKernel,
  type TypedArray,
} from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { flags } from './emitter.ts';
import { KernelStore, kernelSource } from './kernel.ts';

const at = (...strides: number[]): Affine => ({ offset: 0, strides });
const load = (buffer: number, index: Affine, more: Partial<Instruction & { op: 'load' }> = {}): Instruction => ({
  op: 'load',
  buffer,
  index,
  guards: [],
  fill: 0,
  dtype: 'float32',
  ...more,
});
const store = (buffer: number, index: Affine, input: number, dtype: Dtype = 'float32'): Instruction => ({
  op: 'store',
  buffer,
  index,
  input,
  dtype,
});
const reads = (dtype: Dtype = 'float32'): BufferParameter => ({ dtype, access: 'read' });
const writes = (dtype: Dtype = 'float32'): BufferParameter => ({ dtype, access: 'write' });

function kernel(
  parts: Pick<LoopKernel, 'loops' | 'outer' | 'vector' | 'buffers'> & {
    steps: readonly (readonly [stage: number, instruction: Instruction])[];
    rows?: readonly Dtype[];
    scatters?: boolean;
  },
): LoopKernel {
  const { steps, rows = [], scatters = false, ...rest } = parts;
  return {
    kind: 'loop',
    name: 'test',
    ...rest,
    instructions: steps.map(([, instruction]) => instruction),
    stages: steps.map(([stage]) => stage),
    rows,
    scatters,
  };
}

const store1 = new KernelStore();
const run = (made: LoopKernel, ...buffers: TypedArray[]): number =>
  store1.get(made)(
    buffers,
    buffers.map((_, i) => i),
    buffers.map(() => 0),
  );

/** Values whose sum depends on the order of additions. */
const rough = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 10 ** (i % 7));

/** The order that LoopKernel promises along a vector inner loop. */
function laneSum(rows: readonly Float32Array[]): number {
  const lanes = new Float32Array(32);
  for (const row of rows) row.forEach((x, i) => (lanes[i % 32] = (lanes[i % 32] ?? 0) + x));
  for (const half of [16, 8, 4, 2, 1]) for (let i = 0; i < half; i++) lanes[i] = (lanes[i] ?? 0) + (lanes[i + half] ?? 0);
  return lanes[0] ?? 0;
}

const sumOver = (loops: number[], outer: number, vector: number, input: Affine, output: Affine): LoopKernel =>
  kernel({
    loops,
    outer,
    vector,
    buffers: [reads(), writes()],
    steps: [
      [1, load(0, input)],
      [1, { op: 'reduce', combine: 'sum', input: 0, dtype: 'float32' }],
      [2, store(1, output, 1)],
    ],
  });

describe('reductions', () => {
  it.each([1, 31, 32, 33, 1000, 4097])('sums %i elements along the vector loop in 32 lanes', (size) => {
    const x = rough(3 * size);
    const out = new Float32Array(3);
    run(sumOver([3, size], 1, 1, at(size, 1), at(1, 0)), x, out);
    expect(out).toEqual(Float32Array.from([0, 1, 2], (row) => laneSum([x.subarray(row * size, (row + 1) * size)])));
  });

  it('keeps the lanes over all inner loops', () => {
    const x = rough(5 * 37);
    const out = new Float32Array(1);
    run(sumOver([5, 37], 0, 1, at(37, 1), at(0, 0)), x, out);
    expect(out[0]).toBe(laneSum(Array.from({ length: 5 }, (_, row) => x.subarray(row * 37, (row + 1) * 37))));
  });

  it.each([3, 64, 150])('sums each lane of an outer vector loop of %i alone, with and without strips', (columns) => {
    for (const size of [5, 40]) {
      const x = rough(size * columns);
      const out = new Float32Array(columns);
      run(sumOver([columns, size], 1, 0, at(1, columns), at(1, 0)), x, out);
      const expected = new Float32Array(columns);
      for (let row = 0; row < size; row++) for (let i = 0; i < columns; i++) expected[i] = (expected[i] ?? 0) + (x[row * columns + i] ?? 0);
      expect(out).toEqual(expected);
    }
  });

  it('reduces nothing to the identity', () => {
    const out = new Float32Array(2).fill(9);
    run(sumOver([2, 0], 1, 1, at(0, 1), at(1, 0)), new Float32Array(0), out);
    expect([...out]).toEqual([0, 0]);
  });

  it('lets NaN win in max, and knows the identities of integers and bool', () => {
    const reduceOf = (dtype: Dtype, combine: 'max' | 'min'): LoopKernel =>
      kernel({
        loops: [3],
        outer: 0,
        vector: 0,
        buffers: [reads(dtype), writes(dtype)],
        steps: [
          [1, load(0, at(1), { dtype })],
          [1, { op: 'reduce', combine, input: 0, dtype }],
          [2, store(1, at(0), 1, dtype)],
        ],
      });
    const reduced = (dtype: Dtype, combine: 'max' | 'min', values: number[]): number => {
      const [x, out] = [arrayOf(dtype, 3), arrayOf(dtype, 1)];
      x.set(values);
      run(reduceOf(dtype, combine), x, out);
      return out[0] ?? 0;
    };
    expect(reduced('float32', 'max', [1, NaN, 2])).toBeNaN();
    expect(reduced('int32', 'max', [-7, -5, -6])).toBe(-5);
    expect(reduced('uint8', 'min', [200, 180, 255])).toBe(180);
    expect(reduced('bool', 'max', [0, 0, 0])).toBe(0);
    expect(reduced('bool', 'min', [1, 1, 1])).toBe(1);
  });
});

/** x − max over the inner loop, kept in a row, then exp and division: softmax. */
const softmax = (loops: number[], vector: number, index: Affine): LoopKernel =>
  kernel({
    loops,
    outer: 1,
    vector,
    rows: ['float32', 'float32'],
    buffers: [reads(), writes()],
    steps: [
      [1, load(0, index)],
      [1, { op: 'keep', row: 0, input: 0, dtype: 'float32' }],
      [1, { op: 'reduce', combine: 'max', input: 0, dtype: 'float32' }],
      [3, { op: 'recall', row: 0, dtype: 'float32' }],
      [3, { op: 'elementwise', name: 'sub', inputs: [3, 2], dtype: 'float32' }],
      [3, { op: 'elementwise', name: 'exp', inputs: [4], dtype: 'float32' }],
      [3, { op: 'keep', row: 1, input: 5, dtype: 'float32' }],
      [3, { op: 'reduce', combine: 'sum', input: 5, dtype: 'float32' }],
      [5, { op: 'recall', row: 1, dtype: 'float32' }],
      [5, { op: 'elementwise', name: 'div', inputs: [8, 7], dtype: 'float32' }],
      [5, store(1, index, 9)],
    ],
  });

describe('stages', () => {
  it('carries rows and outer values through stages, along rows and along columns alike', () => {
    const [rows, size] = [37, 50];
    const x = Float32Array.from({ length: rows * size }, (_, i) => Math.sin(i) * 3);
    const [along, across] = [new Float32Array(x.length), new Float32Array(x.length)];
    run(softmax([rows, size], 1, at(size, 1)), x, along);
    const transposed = Float32Array.from(x, (_, i) => x[(i % rows) * size + Math.floor(i / rows)] ?? 0);
    run(softmax([rows, size], 0, at(1, rows)), transposed, across);
    for (let row = 0; row < rows; row++) {
      const values = x.subarray(row * size, (row + 1) * size);
      const total = values.reduce((sum, value) => sum + Math.exp(value - Math.max(...values)), 0);
      values.forEach((value, i) => {
        const expected = Math.exp(value - Math.max(...values)) / total;
        expect(along[row * size + i]).toBeCloseTo(expected, 6);
        expect(across[i * rows + row]).toBeCloseTo(expected, 6);
      });
    }
  });

  it('saves outer values of a strip for later stages', () => {
    const scaled = kernel({
      loops: [70, 20],
      outer: 1,
      vector: 0,
      buffers: [reads('bool'), reads(), writes()],
      steps: [
        [0, load(0, at(1, 0), { dtype: 'bool' })],
        [1, load(1, at(1, 70))],
        [1, { op: 'constant', value: -2, dtype: 'float32' }],
        [1, { op: 'where', inputs: [0, 1, 2], dtype: 'float32' }],
        [1, { op: 'reduce', combine: 'sum', input: 3, dtype: 'float32' }],
        [2, store(2, at(1, 0), 4)],
      ],
    });
    const choose = Uint8Array.from({ length: 70 }, (_, i) => i % 2);
    const x = new Float32Array(1400).fill(1);
    const out = new Float32Array(70);
    run(scaled, choose, x, out);
    expect(out).toEqual(Float32Array.from(choose, (chosen) => (chosen ? 20 : -40)));
  });
});

describe('memory access', () => {
  it('fills where guards fail: padding by 2 and 3', () => {
    const padded = kernel({
      loops: [9],
      outer: 1,
      vector: 0,
      buffers: [reads('int32'), writes('int32')],
      steps: [
        [
          0,
          load(0, { offset: -2, strides: [1] }, { dtype: 'int32', guards: [{ index: { offset: -2, strides: [1] }, size: 4 }], fill: -1 }),
        ],
        [0, store(1, at(1), 0, 'int32')],
      ],
    });
    const out = new Int32Array(9);
    run(padded, Int32Array.of(1, 2, 3, 4), out);
    expect([...out]).toEqual([-1, -1, 1, 2, 3, 4, -1, -1, -1]);
  });

  it('clamps and flags gathers, drops and flags scatters', () => {
    const gather = kernel({
      loops: [4],
      outer: 1,
      vector: 0,
      buffers: [reads(), reads('int32'), writes()],
      steps: [
        [0, load(1, at(1), { dtype: 'int32' })],
        [0, { op: 'gather', buffer: 0, index: at(0), at: 0, stride: 2, size: 3, guards: [], fill: 0, dtype: 'float32' }],
        [0, store(2, at(1), 1)],
      ],
    });
    const x = Float32Array.of(10, 11, 20, 21, 30, 31);
    const out = new Float32Array(4);
    expect(run(gather, x, Int32Array.of(0, 1, 2, 1), out)).toBe(0);
    expect([...out]).toEqual([10, 20, 30, 20]);
    expect(run(gather, x, Int32Array.of(-1, 3, 0, 0), out)).toBe(flags.gather);
    expect([...out]).toEqual([10, 30, 10, 10]);

    const scatter = kernel({
      loops: [4],
      outer: 0,
      vector: 0,
      scatters: true,
      buffers: [reads('int32'), { dtype: 'int32', access: 'readwrite' }],
      steps: [
        [1, load(0, at(1), { dtype: 'int32' })],
        [1, { op: 'index', index: { offset: 1, strides: [1] }, dtype: 'int32' }],
        [1, { op: 'scatter', buffer: 1, index: at(0), at: 0, stride: 1, size: 2, input: 1, dtype: 'int32' }],
      ],
    });
    const sums = Int32Array.of(100, 200);
    expect(run(scatter, Int32Array.of(0, 1, 0, 5), sums)).toBe(flags.scatter);
    expect([...sums]).toEqual([104, 202]);
  });

  it('rounds float32 arithmetic after every operation', () => {
    const polynomial = kernel({
      loops: [100],
      outer: 1,
      vector: 0,
      buffers: [reads(), writes()],
      steps: [
        [0, load(0, at(1))],
        [0, { op: 'constant', value: 0.1, dtype: 'float32' }],
        [0, { op: 'elementwise', name: 'mul', inputs: [0, 1], dtype: 'float32' }],
        [0, { op: 'elementwise', name: 'add', inputs: [2, 0], dtype: 'float32' }],
        [0, store(1, at(1), 3)],
      ],
    });
    const x = rough(100);
    const out = new Float32Array(100);
    run(polynomial, x, out);
    expect(out).toEqual(x.map((value) => Math.fround(Math.fround(value * Math.fround(0.1)) + value)));
  });

  it('multiplies no index in the innermost loop', () => {
    const strided = kernel({
      loops: [6, 5],
      outer: 2,
      vector: 1,
      buffers: [reads(), writes()],
      steps: [
        [0, load(0, at(1, 6))],
        [0, store(1, at(5, 1), 0)],
      ],
    });
    expect(kernelSource(strided)).toMatchInlineSnapshot(`
      "'use strict';
      const { fround, imul, erf, roundEven, power, populationCount, floatToBits, bitsToFloat, threefry, sumLanes, multiplyLanes, offsetTable, scratch, multiply } = runtime;

      return function kernel(buffers, slots, offsets) {
      let flag = 0;
      const b0 = buffers[slots[0]], o0 = offsets[0];
      const b1 = buffers[slots[1]], o1 = offsets[1];
      let p3 = o1;
      for (let i0 = 0; i0 < 6; i0++, p3 = (p3 + 5) | 0) {
      const p0 = (o0 + i0) | 0;
      let p1 = p0;
      for (let i1 = 0; i1 < 5; i1++, p1 = (p1 + 6) | 0) {
      const v2 = b0[p1];
      b1[((p3 + i1) | 0)] = v2;


      }
      }
      return flag;
      };"
    `);
  });
});
