// Weight gradients by Winograd's way against float64; the same bits for any number of outputs, channels and threads.
import type { ContractKernel } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { WasmBackend } from '../../backend.ts';
import { firstDifference, rough, runKernel } from '../../testing/run-kernel.ts';
import { gradientPlan } from './winograd-gradient.ts';

const backend = new WasmBackend({ threads: 1, poison: true });
const threaded = new WasmBackend({ threads: 3, delays: true });
afterAll(() => {
  backend.dispose();
  threaded.dispose();
});

interface Sizes {
  readonly images: number;
  readonly outputs: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Incoming gradients [images, outputs, height, width], inputs [images, channels, height + 2, width + 2] → [outputs, channels, 3, 3]. */
function gradient({ images, outputs, channels, height, width }: Sizes): ContractKernel {
  const [row, plane, o] = [width + 2, (width + 2) * (height + 2), height * width];
  return {
    kind: 'contract', name: 'gradient', combine: 'multiply-add', batch: [], m: [outputs], n: [channels, 3, 3], k: [images, height, width],
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
    a: { buffer: 0, index: { offset: 0, strides: [o, 0, 0, 0, outputs * o, width, 1] } },
    b: { buffer: 1, index: { offset: 0, strides: [0, plane, row, 1, channels * plane, row, 1] } },
    dtype: 'float32', accumulator: 'float32',
    epilogue: [
      { op: 'accumulator', dtype: 'float32' },
      { op: 'store', buffer: 2, index: { offset: 0, strides: [channels * 9, 9, 3, 1, 0, 0, 0] }, input: 0, dtype: 'float32' },
    ],
  };
}

function run(one: WasmBackend, sizes: Sizes, incoming: Float32Array, input: Float32Array): Float32Array {
  const out = new Float32Array(sizes.outputs * sizes.channels * 9);
  runKernel(one, gradient(sizes), [incoming, input, out]);
  return out;
}

const smooth = (length: number, seed: number) => rough(length, seed).map((x) => Math.sin(x));

const cases: Sizes[] = [
  { images: 1, outputs: 8, channels: 8, height: 4, width: 4 },
  { images: 3, outputs: 9, channels: 11, height: 6, width: 10 },
  { images: 2, outputs: 16, channels: 24, height: 16, width: 16 },
  { images: 5, outputs: 30, channels: 17, height: 14, width: 14 },
  { images: 3, outputs: 8, channels: 16, height: 7, width: 7 },
  { images: 2, outputs: 13, channels: 8, height: 5, width: 11 },
  { images: 2, outputs: 8, channels: 9, height: 6, width: 5 },
];

/** Of a tap's error, in parts of the sum of its products' sizes: by gradients of a tile in one direction. */
const bounds = new Map([
  [2, 3e-7],
  [4, 8e-7],
]);

function gradientsOf(sizes: Sizes): number {
  const plan = gradientPlan(gradient(sizes), 8);
  if (plan === undefined) throw new Error('not computed this way');
  return plan.filtering.gradients;
}

describe('Winograd weight gradients', () => {
  it.each(cases)('$images images, $channels → $outputs channels, $height × $width', (sizes) => {
    const { images, outputs, channels, height, width } = sizes;
    const incoming = smooth(images * outputs * height * width, 1);
    const input = smooth(images * channels * (height + 2) * (width + 2), 2);
    const out = run(backend, sizes, incoming, input);
    let worst = 0;
    for (let o = 0; o < outputs; o++) for (let c = 0; c < channels; c++) for (let t = 0; t < 9; t++) {
      let [value, size] = [0, 1];
      for (let n = 0; n < images; n++) for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) {
        const x = input[((n * channels + c) * (height + 2) + i + Math.floor(t / 3)) * (width + 2) + j + (t % 3)] ?? 0;
        const term = (incoming[((n * outputs + o) * height + i) * width + j] ?? 0) * x;
        value += term;
        size += Math.abs(term);
      }
      worst = Math.max(worst, Math.abs((out[(o * channels + c) * 9 + t] ?? NaN) - value) / size);
    }
    expect(worst).toBeLessThan(bounds.get(gradientsOf(sizes)) ?? 0);
    expect(firstDifference(run(threaded, sizes, incoming, input), out)).toBe(-1);
  });

  it('give an output the same bits whatever the number of outputs', () => {
    const sizes = { images: 2, outputs: 20, channels: 12, height: 8, width: 8 };
    const incoming = smooth(2 * 20 * 64, 3);
    const input = smooth(2 * 12 * 100, 4);
    const all = run(backend, sizes, incoming, input);
    const fewer = Float32Array.from({ length: 2 * 8 * 64 }, (_, i) => incoming[Math.floor(i / 512) * 20 * 64 + (i % 512)] ?? 0);
    expect(firstDifference(run(backend, { ...sizes, outputs: 8 }, fewer, input), all.slice(0, 8 * 12 * 9))).toBe(-1);
  });

  it.each([5, 6, 7, 8])('use nothing beyond images of width and height %i', (side) => {
    const sizes = { images: 1, outputs: 8, channels: 8, height: side, width: side };
    const incoming = smooth(8 * side ** 2, 3);
    const input = smooth(8 * (side + 2) ** 2, 4);
    const behind = Array.from({ length: 4096 }, () => NaN);
    const out = run(backend, sizes, Float32Array.from([...incoming, ...behind]), Float32Array.from([...input, ...behind]));
    expect(firstDifference(out, run(backend, sizes, incoming, input))).toBe(-1);
    expect(out.every(Number.isFinite)).toBe(true);
  });

  it('take the tiles that need fewer products', () => {
    const square = (side: number) => gradientsOf({ images: 1, outputs: 16, channels: 16, height: side, width: side });
    expect([4, 5, 7, 8, 10, 14, 16, 28, 32].map(square)).toEqual([4, 2, 4, 4, 4, 4, 4, 4, 4]);
  });

  it('are left to the tiled form where images are small', () => {
    expect(gradientPlan(gradient({ images: 1, outputs: 16, channels: 16, height: 3, width: 7 }), 8)).toBeUndefined();
  });
});
