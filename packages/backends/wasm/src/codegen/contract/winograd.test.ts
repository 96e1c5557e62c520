// Winograd convolutions against float64: odd sizes, groups, flipped weights; the same bits in every batch and on every
// number of threads.
import type { ContractKernel } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { WasmBackend } from '../../backend.ts';
import { firstDifference, rough, runKernel } from '../../testing/run-kernel.ts';
import { winogradPlan } from './winograd.ts';

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
}

/** x [images, groups, channels, height + 2, width + 2] with w [groups, outputs, channels, 3, 3]; plus a bias per output. */
function convolution({ images, groups, outputs, channels, height, width }: Sizes): ContractKernel {
  const [row, plane] = [width + 2, (width + 2) * (height + 2)];
  const [w, o] = [channels * 9, height * width];
  return {
    kind: 'contract', name: 'conv', combine: 'multiply-add', batch: [groups], m: [outputs], n: [images, height, width], k: [channels, 3, 3],
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
    a: { buffer: 0, index: { offset: 0, strides: [outputs * w, w, 0, 0, 0, 9, 3, 1] } },
    b: { buffer: 1, index: { offset: 0, strides: [channels * plane, 0, groups * channels * plane, row, 1, plane, row, 1] } },
    dtype: 'float32', accumulator: 'float32',
    epilogue: [
      { op: 'accumulator', dtype: 'float32' },
      { op: 'load', buffer: 2, index: { offset: 0, strides: [outputs, 1, 0, 0, 0, 0, 0, 0] }, guards: [], fill: 0, dtype: 'float32' },
      { op: 'elementwise', name: 'add', inputs: [0, 1], dtype: 'float32' },
      { op: 'store', buffer: 3, index: { offset: 0, strides: [outputs * o, o, groups * outputs * o, width, 1, 0, 0, 0] }, input: 2, dtype: 'float32' },
    ],
  };
}

/** Values of order 1. */
const smooth = (length: number, seed: number) => rough(length, seed).map((x) => Math.sin(x));

function inputs({ images, groups, outputs, channels, height, width }: Sizes) {
  return {
    w: smooth(groups * outputs * channels * 9, 1),
    x: smooth(images * groups * channels * (height + 2) * (width + 2), 2),
    bias: smooth(groups * outputs, 3),
  };
}

function run(one: WasmBackend, sizes: Sizes, { w, x, bias }: ReturnType<typeof inputs>): Float32Array {
  const out = new Float32Array(sizes.images * sizes.groups * sizes.outputs * sizes.height * sizes.width);
  runKernel(one, convolution(sizes), [w, x, bias, out]);
  return out;
}

function reference(sizes: Sizes, { w, x, bias }: ReturnType<typeof inputs>): { value: number; size: number }[] {
  const { images, groups, outputs, channels, height, width } = sizes;
  const out: { value: number; size: number }[] = [];
  for (let n = 0; n < images; n++) for (let g = 0; g < groups; g++) for (let o = 0; o < outputs; o++) for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) {
    let [value, size] = [bias[g * outputs + o] ?? 0, 1];
    for (let c = 0; c < channels; c++) for (let t = 0; t < 9; t++) {
      const a = w[((g * outputs + o) * channels + c) * 9 + t] ?? 0;
      const b = x[(((n * groups + g) * channels + c) * (height + 2) + i + Math.floor(t / 3)) * (width + 2) + j + (t % 3)] ?? 0;
      value += a * b;
      size += Math.abs(a * b);
    }
    out.push({ value, size });
  }
  return out;
}

const cases: Sizes[] = [
  { images: 2, groups: 1, outputs: 8, channels: 8, height: 4, width: 4 },
  { images: 1, groups: 2, outputs: 9, channels: 11, height: 7, width: 9 },
  { images: 3, groups: 1, outputs: 13, channels: 8, height: 16, width: 16 },
  { images: 1, groups: 1, outputs: 30, channels: 17, height: 33, width: 28 },
  { images: 2, groups: 3, outputs: 12, channels: 16, height: 14, width: 5 },
  { images: 2, groups: 1, outputs: 8, channels: 9, height: 13, width: 14 },
  { images: 2, groups: 1, outputs: 10, channels: 8, height: 15, width: 13 },
  { images: 1, groups: 2, outputs: 8, channels: 12, height: 18, width: 31 },
];

/** Of an output's error, in parts of the sum of its products' sizes: by outputs of a tile in one direction. */
const bounds = new Map([
  [2, 3e-7],
  [4, 8e-7],
]);

function outputsOf(sizes: Sizes): number {
  const plan = winogradPlan(convolution(sizes), 8);
  if (plan === undefined) throw new Error('not computed this way');
  return plan.filtering.outputs;
}

describe('Winograd convolutions', () => {
  it.each(cases)('$images images, $groups groups, $channels → $outputs channels, $height × $width', (sizes) => {
    const given = inputs(sizes);
    const out = run(backend, sizes, given);
    const worst = Math.max(...reference(sizes, given).map(({ value, size }, i) => Math.abs((out[i] ?? NaN) - value) / size));
    expect(worst).toBeLessThan(bounds.get(outputsOf(sizes)) ?? 0);
    expect(firstDifference(run(threaded, sizes, given), out)).toBe(-1);
  });

  it('take the larger tiles where their padding costs less than it saves', () => {
    const square = (side: number) => outputsOf({ images: 1, groups: 1, outputs: 16, channels: 16, height: side, width: side });
    expect([7, 8, 14, 16, 28, 32].map(square)).toEqual([2, 2, 4, 4, 4, 4]);
  });

  it.each([12, 13, 14, 15])('give an image of width and height %i the same bits alone and in a batch with NaN', (side) => {
    const sizes = { images: 5, groups: 1, outputs: 16, channels: 16, height: side, width: side };
    const given = inputs(sizes);
    const length = given.x.length / 5;
    given.x.fill(NaN, 4 * length);
    const all = run(backend, sizes, given);
    const alone = run(backend, { ...sizes, images: 1 }, { ...given, x: given.x.slice(3 * length, 4 * length) });
    expect(firstDifference(alone, all.slice(3 * alone.length, 4 * alone.length))).toBe(-1);
  });

  it('are left to other forms where they are small or no plain 3 × 3 convolutions', () => {
    const usual = cases[2];
    if (usual === undefined) throw new Error('no case');
    expect(winogradPlan(convolution({ ...usual, channels: 4 }), 8)).toBeUndefined();
    expect(winogradPlan(convolution({ ...usual, width: 3 }), 8)).toBeUndefined();
    const kernel = convolution(usual);
    const strided = { ...kernel, b: { ...kernel.b, index: { offset: 0, strides: kernel.b.index.strides.map((stride, i) => (i === 3 || i === 4 ? 2 * stride : stride)) } } };
    expect(winogradPlan(strided, 8)).toBeUndefined();
  });
});
