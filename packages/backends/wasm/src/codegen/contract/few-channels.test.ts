// Weight gradients along the pixels, against float64: every length of a run, groups, the same bits on every number of threads.
import type { ContractKernel } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { WasmBackend } from '../../backend.ts';
import { firstDifference, rough, runKernel } from '../../testing/run-kernel.ts';
import { fewChannelsPlan } from './few-channels.ts';

const backend = new WasmBackend({ threads: 1, poison: true });
const threaded = new WasmBackend({ threads: 3, delays: true });
afterAll(() => {
  backend.dispose();
  threaded.dispose();
});

interface Sizes {
  readonly images: number;
  readonly groups: number;
  readonly outputs: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly taps: number;
}

/** dw[group, output, channel, ky, kx] = 2 · Σ dy[image, group, output, y, x] · x[image, group, channel, y + ky, x + kx]. */
function gradient({ images, groups, outputs, channels, height, width, taps }: Sizes): ContractKernel {
  const [h, w] = [height + taps - 1, width + taps - 1];
  const [plane, padded, square] = [height * width, h * w, taps * taps];
  const out = [outputs * channels * square, channels * square, square, taps, 1, 0, 0, 0];
  return {
    kind: 'contract', name: 'gradient', combine: 'multiply-add', batch: [groups], m: [outputs], n: [channels, taps, taps], k: [images, height, width],
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
    a: { buffer: 0, index: { offset: 0, strides: [outputs * plane, plane, 0, 0, 0, groups * outputs * plane, width, 1] } },
    b: { buffer: 1, index: { offset: 0, strides: [channels * padded, 0, padded, w, 1, groups * channels * padded, w, 1] } },
    dtype: 'float32', accumulator: 'float32',
    epilogue: [
      { op: 'accumulator', dtype: 'float32' },
      { op: 'elementwise', name: 'add', inputs: [0, 0], dtype: 'float32' },
      { op: 'store', buffer: 2, index: { offset: 0, strides: out }, input: 1, dtype: 'float32' },
    ],
  };
}

/** Values of order 1. */
const smooth = (length: number, seed: number) => rough(length, seed).map((x) => Math.sin(x));

function reference({ images, groups, outputs, channels, height, width, taps }: Sizes, dy: Float32Array, x: Float32Array): Float64Array {
  const [h, w] = [height + taps - 1, width + taps - 1];
  const out = new Float64Array(groups * outputs * channels * taps * taps);
  out.forEach((_, index) => {
    const [kx, ky] = [index % taps, Math.floor(index / taps) % taps];
    const channel = Math.floor(index / taps ** 2) % channels;
    const row = Math.floor(index / taps ** 2 / channels);
    let sum = 0;
    for (let image = 0; image < images; image++) {
      const [from, to] = [(image * groups * outputs + row) * height * width, (image * groups + Math.floor(row / outputs)) * channels + channel];
      for (let i = 0; i < height * width; i++) {
        sum += (dy[from + i] ?? 0) * (x[(to * h + Math.floor(i / width) + ky) * w + (i % width) + kx] ?? 0);
      }
    }
    out[index] = 2 * sum;
  });
  return out;
}

const base: Sizes = { images: 5, groups: 1, outputs: 6, channels: 1, height: 28, width: 28, taps: 5 };
const cases: Sizes[] = [
  base,
  ...[1, 2, 3, 5, 7].map((outputs) => ({ ...base, outputs })),
  ...[8, 9, 11, 12, 15, 16, 17, 31, 96].map((width) => ({ ...base, width, height: 3, outputs: 4 })),
  { ...base, groups: 7, outputs: 1, taps: 3, width: 14, height: 6 },
  { ...base, groups: 2, outputs: 1, taps: 7, width: 10, height: 6 },
  { ...base, outputs: 16, channels: 3, taps: 3, width: 32, height: 32, images: 2 },
  { ...base, outputs: 2, width: 200, height: 40, images: 1, taps: 2 },
];

describe('weight gradients with few channels', () => {
  it.each(cases)('$images images of $groups × $channels × $height × $width, $outputs outputs, $taps² taps', (sizes) => {
    const kernel = gradient(sizes);
    expect(fewChannelsPlan(kernel)).toBeDefined();
    const { images, groups, outputs, channels, height, width, taps } = sizes;
    const dy = smooth(images * groups * outputs * height * width, 1);
    const x = smooth(images * groups * channels * (height + taps - 1) * (width + taps - 1), 2);
    const expected = reference(sizes, dy, x);
    const [out, other] = [new Float32Array(expected.length), new Float32Array(expected.length)];
    runKernel(backend, kernel, [dy, x, out]);
    runKernel(threaded, kernel, [dy, x, other]);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (out[i] ?? 0))), 0);
    expect(error / largest).toBeLessThan(1e-6);
    expect(firstDifference(other, out)).toBe(-1);
  });

  it('leaves out what lies beside a run, whatever it is', () => {
    const sizes = { ...base, images: 1, height: 1, width: 9, taps: 2, outputs: 1 };
    // Rows of dy end in the next row, whose values must not count.
    const kernel = gradient(sizes);
    const dy = Float32Array.from([...smooth(9, 1), NaN, NaN, NaN, NaN, NaN, NaN, NaN]);
    const x = Float32Array.from([...smooth(20, 2), NaN, NaN, NaN, NaN]);
    const out = new Float32Array(4);
    runKernel(backend, kernel, [dy, x, out]);
    expect(out.every(Number.isFinite)).toBe(true);
  });

  it('leaves many outputs, short runs and strided pixels to the other forms', () => {
    expect(fewChannelsPlan(gradient({ ...base, outputs: 64, channels: 8 }))).toBeUndefined();
    expect(fewChannelsPlan(gradient({ ...base, width: 7 }))).toBeUndefined();
    const strided = gradient(base);
    const index = { ...strided.b.index, strides: strided.b.index.strides.map((stride, loop) => (loop === 7 ? 2 * stride : stride)) };
    expect(fewChannelsPlan({ ...strided, b: { ...strided.b, index } })).toBeUndefined();
  });
});
