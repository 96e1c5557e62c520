// Tiled contractions: the sum's order depends on k alone, for every layout of the operands and every size of the rest.
import type { Affine, ContractKernel } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { WasmBackend } from '../../backend.ts';
import { firstDifference, rough, runKernel } from '../../testing/run-kernel.ts';

const backend = new WasmBackend({ threads: 1 });
const threaded = new WasmBackend({ threads: 3, delays: true });
afterAll(() => {
  backend.dispose();
  threaded.dispose();
});

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function product({ m, n, k }: Sizes, a: Affine, b: Affine): ContractKernel {
  return {
    kind: 'contract', name: 'product', combine: 'multiply-add', batch: [], m: [m], n: [n], k: [k],
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
    a: { buffer: 0, index: a }, b: { buffer: 1, index: b }, dtype: 'float32', accumulator: 'float32',
    epilogue: [
      { op: 'accumulator', dtype: 'float32' },
      { op: 'store', buffer: 2, index: { offset: 0, strides: [n, 1, 0] }, input: 0, dtype: 'float32' },
    ],
  };
}

const layouts = {
  NN: ({ n, k }: Sizes) => [[k, 0, 1], [0, 1, n]],
  NT: ({ k }: Sizes) => [[k, 0, 1], [0, k, 1]],
  TN: ({ m, n }: Sizes) => [[1, 0, m], [0, 1, n]],
  TT: ({ m, k }: Sizes) => [[1, 0, m], [0, k, 1]],
} as const;

/** The same matrices in a layout, and the kernel that multiplies them. */
function inLayout(name: keyof typeof layouts, sizes: Sizes, a: Float32Array, b: Float32Array) {
  const { m, n, k } = sizes;
  const [strideA = [], strideB = []] = layouts[name](sizes);
  const [storedA, storedB] = [new Float32Array(m * k), new Float32Array(n * k)];
  for (let p = 0; p < k; p++) {
    for (let i = 0; i < m; i++) storedA[i * (strideA[0] ?? 0) + p * (strideA[2] ?? 0)] = a[i * k + p] ?? 0;
    for (let j = 0; j < n; j++) storedB[j * (strideB[1] ?? 0) + p * (strideB[2] ?? 0)] = b[j * k + p] ?? 0;
  }
  return { kernel: product(sizes, { offset: 0, strides: strideA }, { offset: 0, strides: strideB }), storedA, storedB };
}

/** Σ over chunks of 256, each summed from 0 in order, every step rounded. */
function plainSum(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let first = 0; first < a.length; first += 256) {
    let sum = 0;
    for (let p = first; p < Math.min(a.length, first + 256); p++) sum = Math.fround(sum + Math.fround((a[p] ?? 0) * (b[p] ?? 0)));
    total = first === 0 ? sum : Math.fround(total + sum);
  }
  return total;
}

const sizes: Sizes[] = [
  { m: 1, n: 1, k: 1 }, { m: 1, n: 9, k: 300 }, { m: 5, n: 3, k: 7 }, { m: 12, n: 16, k: 256 }, { m: 13, n: 17, k: 257 }, { m: 128, n: 10, k: 84 },
  { m: 6, n: 25, k: 1030 }, { m: 300, n: 20, k: 33 }, { m: 20, n: 400, k: 40 }, { m: 290, n: 390, k: 20 },
];

describe('tiled contractions', () => {
  it.each(sizes)('$m × $k times $k × $n: every layout and number of threads gives the same bits', (size) => {
    const { m, n, k } = size;
    const [a, b] = [rough(m * k, 1), rough(n * k, 2)];
    let first: Float32Array | undefined;
    for (const name of ['NN', 'NT', 'TN', 'TT'] as const) {
      const { kernel, storedA, storedB } = inLayout(name, size, a, b);
      for (const one of [backend, threaded]) {
        const out = new Float32Array(m * n);
        runKernel(one, kernel, [storedA, storedB, out]);
        first ??= out;
        expect(firstDifference(out, first)).toBe(-1);
      }
    }
    if (backend.numerics !== 'wasm') return;
    for (const [i, j] of [[0, 0], [m - 1, n - 1], [m >> 1, n >> 1]] as const) {
      expect(first?.[i * n + j]).toBe(plainSum(a.subarray(i * k, (i + 1) * k), b.subarray(j * k, (j + 1) * k)));
    }
  });

  it('gives a row the same bits alone and in a batch', () => {
    const size = { m: 37, n: 45, k: 700 };
    const [a, b] = [rough(size.m * size.k, 3), rough(size.n * size.k, 4)];
    const all = new Float32Array(size.m * size.n);
    const { kernel, storedA, storedB } = inLayout('NT', size, a, b);
    runKernel(backend, kernel, [storedA, storedB, all]);
    for (const i of [0, 11, 36]) {
      const alone = new Float32Array(size.n);
      const one = inLayout('NT', { ...size, m: 1 }, a.subarray(i * size.k, (i + 1) * size.k), b);
      runKernel(backend, one.kernel, [one.storedA, one.storedB, alone]);
      expect(alone).toEqual(all.subarray(i * size.n, (i + 1) * size.n));
    }
  });

  it('gives the same bits without packing, where rows are few', () => {
    const size = { m: 40, n: 50, k: 200 };
    const [a, b] = [rough(size.m * size.k, 5), rough(size.n * size.k, 6)];
    const all = new Float32Array(size.m * size.n);
    const { kernel, storedA, storedB } = inLayout('NN', size, a, b);
    runKernel(backend, kernel, [storedA, storedB, all]);
    const pair = new Float32Array(2 * size.n);
    const two = inLayout('NN', { ...size, m: 2 }, a.subarray(0, 2 * size.k), b);
    runKernel(backend, two.kernel, [two.storedA, two.storedB, pair]);
    expect(firstDifference(pair, all.subarray(0, 2 * size.n))).toBe(-1);
  });
});
