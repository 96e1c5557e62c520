// Generated contractions against sums written by hand: edges of tiles and blocks, views, batches, epilogues.
import { type Affine, type ContractKernel, type Instruction, type TypedArray } from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { KernelStore } from './kernel.ts';

const store = new KernelStore();
const run = (kernel: ContractKernel, ...buffers: TypedArray[]): number =>
  store.get(kernel)(
    buffers,
    buffers.map((_, i) => i),
    buffers.map(() => 0),
  );

interface Matrices {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch?: number;
  readonly transposed?: boolean;
}

/** out[batch, m, n] = a · b, with a [batch, m, k] (or [batch, k, m]) and b [batch, n, k]. */
function product({ m, n, k, batch = 1, transposed = false }: Matrices, epilogue: readonly Instruction[] = []): ContractKernel {
  const index = (...strides: number[]): Affine => ({ offset: 0, strides });
  const output = index(m * n, n, 1, 0);
  return {
    kind: 'contract',
    name: 'test',
    combine: 'multiply-add',
    batch: [batch],
    m: [m],
    n: [n],
    k: [k],
    buffers: [
      { dtype: 'float32', access: 'read' },
      { dtype: 'float32', access: 'read' },
      { dtype: 'float32', access: 'write' },
    ],
    a: { buffer: 0, index: transposed ? index(m * k, 1, 0, m) : index(m * k, k, 0, 1) },
    b: { buffer: 1, index: index(n * k, 0, k, 1) },
    dtype: 'float32',
    accumulator: 'float32',
    epilogue:
      epilogue.length > 0
        ? epilogue
        : [
            { op: 'accumulator', dtype: 'float32' },
            { op: 'store', buffer: 2, index: output, input: 0, dtype: 'float32' },
          ],
  };
}

const values = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898));

function expected({ m, n, k, batch = 1, transposed = false }: Matrices, a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(batch * m * n);
  for (let g = 0; g < batch; g++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += (a[g * m * k + (transposed ? l * m + i : i * k + l)] ?? 0) * (b[(g * n + j) * k + l] ?? 0);
        out[(g * m + i) * n + j] = sum;
      }
    }
  }
  return out;
}

describe('products', () => {
  const shapes: Matrices[] = [
    { m: 1, n: 1, k: 1 },
    { m: 1, n: 9, k: 25 },
    { m: 9, n: 1, k: 25 },
    { m: 3, n: 5, k: 7 },
    { m: 300, n: 131, k: 3 },
    { m: 7, n: 9, k: 600 },
    { m: 5, n: 6, k: 4, batch: 3 },
    { m: 6, n: 5, k: 33, batch: 2, transposed: true },
    { m: 4, n: 4, k: 0 },
  ];
  it.each(shapes)('m $m, n $n, k $k, batch $batch, transposed $transposed: the same bits from packed and direct forms', (shape) => {
    const { m, n, k, batch = 1 } = shape;
    const [a, b, out] = [values(batch * m * k), values(batch * n * k), new Float32Array(batch * m * n).fill(NaN)];
    run(product(shape), a, b, out);
    expect(out).toEqual(expected(shape, a, b));
  });

  it('reads several n and k loops as one: a convolution without im2col', () => {
    // x [2 channels, 6, 7], weight [3, 2, 2, 3] → [3, 5, 5]
    const convolution: ContractKernel = {
      ...product({ m: 3, n: 25, k: 12 }),
      batch: [],
      m: [3],
      n: [5, 5],
      k: [2, 2, 3],
      a: { buffer: 0, index: { offset: 0, strides: [12, 0, 0, 6, 3, 1] } },
      b: { buffer: 1, index: { offset: 0, strides: [0, 7, 1, 42, 7, 1] } },
      epilogue: [
        { op: 'accumulator', dtype: 'float32' },
        { op: 'load', buffer: 1, index: { offset: 0, strides: [0, 7, 1, 0, 0, 0] }, guards: [], fill: 0, dtype: 'float32' },
        { op: 'elementwise', name: 'add', inputs: [0, 1], dtype: 'float32' },
        { op: 'store', buffer: 2, index: { offset: 0, strides: [25, 5, 1, 0, 0, 0] }, input: 2, dtype: 'float32' },
      ],
    };
    const [weight, x, out] = [values(36), values(84), new Float32Array(75)];
    run(convolution, weight, x, out);
    for (let o = 0; o < 3; o++) {
      for (let y = 0; y < 5; y++) {
        for (let z = 0; z < 5; z++) {
          let sum = 0;
          for (let c = 0; c < 2; c++)
            for (let i = 0; i < 2; i++)
              for (let j = 0; j < 3; j++) sum += (weight[o * 12 + c * 6 + i * 3 + j] ?? 0) * (x[c * 42 + (y + i) * 7 + z + j] ?? 0);
          expect(out[o * 25 + y * 5 + z]).toBe(Math.fround(Math.fround(sum) + (x[y * 7 + z] ?? 0)));
        }
      }
    }
  });

  it('multiplies int8 into int32 and counts differing bits', () => {
    const [m, n, k] = [3, 5, 9];
    const int8: ContractKernel = {
      ...product({ m, n, k }),
      dtype: 'int8',
      accumulator: 'int32',
      buffers: [
        { dtype: 'int8', access: 'read' },
        { dtype: 'int8', access: 'read' },
        { dtype: 'int32', access: 'write' },
      ],
      epilogue: [
        { op: 'accumulator', dtype: 'int32' },
        { op: 'store', buffer: 2, index: { offset: 0, strides: [0, n, 1, 0] }, input: 0, dtype: 'int32' },
      ],
    };
    const [a, b] = [new Int8Array(m * k).fill(-128), new Int8Array(n * k).fill(127)];
    const out = new Int32Array(m * n);
    run(int8, a, b, out);
    expect([...new Set(out)]).toEqual([-128 * 127 * k]);

    const [x, y] = [new Int32Array(m * k).fill(-1), new Int32Array(n * k).fill(0x0f0f0f0f)];
    const parameter = { dtype: 'int32', access: 'read' } as const;
    run(
      { ...int8, dtype: 'int32', combine: 'xor-popcount', buffers: [parameter, parameter, { dtype: 'int32', access: 'write' }] },
      x,
      y,
      out,
    );
    expect([...new Set(out)]).toEqual([16 * k]);
  });
});
