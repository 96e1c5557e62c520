// Direct contractions: the bits of the tiled form, for every height, every length of a run and every layout of the rows.
import type { Affine, ContractKernel } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { WasmBackend } from '../../backend.ts';
import { firstDifference, rough, runKernel } from '../../testing/run-kernel.ts';
import { directPlan } from './direct.ts';

const backend = new WasmBackend({ threads: 1 });
const threaded = new WasmBackend({ threads: 3, delays: true });
afterAll(() => {
  backend.dispose();
  threaded.dispose();
});

interface Convolution {
  readonly groups: number;
  readonly rows: number;
  readonly channels: number;
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly taps: number;
  /** Weights are read from the last tap to the first, as in the gradient of an input. */
  readonly flipped: boolean;
}

const elements = (sizes: Convolution) => ({
  weights: sizes.groups * sizes.rows * sizes.channels * sizes.taps ** 2,
  inputs: sizes.images * sizes.groups * sizes.channels * (sizes.height + sizes.taps - 1) * (sizes.width + sizes.taps - 1),
  outputs: sizes.images * sizes.groups * sizes.rows * sizes.height * sizes.width,
});

/** out[g, row, image, y, x] = Σ weights[g, row, c, ky, kx] · inputs[image, g, c, y + ky, x + kx]. */
function convolution({ groups, rows, channels, images, height, width, taps, flipped }: Convolution): ContractKernel {
  const [h, w] = [height + taps - 1, width + taps - 1];
  const tapsBack = flipped ? -1 : 1;
  const a: Affine = {
    offset: flipped ? taps * taps - 1 : 0,
    strides: [rows * channels * taps * taps, channels * taps * taps, 0, 0, 0, taps * taps, tapsBack * taps, tapsBack],
  };
  const b: Affine = { offset: 0, strides: [channels * h * w, 0, groups * channels * h * w, w, 1, h * w, w, 1] };
  const out = { offset: 0, strides: [rows * height * width, height * width, groups * rows * height * width, width, 1, 0, 0, 0] };
  return {
    kind: 'contract', name: 'convolution', combine: 'multiply-add',
    batch: [groups], m: [rows], n: [images, height, width], k: [channels, taps, taps],
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
    a: { buffer: 0, index: a }, b: { buffer: 1, index: b }, dtype: 'float32', accumulator: 'float32',
    epilogue: [{ op: 'accumulator', dtype: 'float32' }, { op: 'store', buffer: 2, index: out, input: 0, dtype: 'float32' }],
  };
}

/** As many rows as the direct form does not take. */
const tallRows = 12;

/** The weights of a convolution, and rows of zeros below those of each group. */
function taller(weights: Float32Array, { groups, rows }: Convolution): Float32Array {
  const row = weights.length / groups / rows;
  const out = new Float32Array(groups * tallRows * row);
  for (let g = 0; g < groups; g++) out.set(weights.subarray(g * rows * row, (g + 1) * rows * row), g * tallRows * row);
  return out;
}

const base: Convolution = { groups: 1, rows: 6, channels: 1, images: 3, height: 5, width: 28, taps: 5, flipped: false };
const cases: Convolution[] = [
  base,
  ...[1, 2, 3, 5, 7, 8].map((rows) => ({ ...base, rows })),
  ...[4, 5, 6, 7, 11, 14, 33, 64].map((width) => ({ ...base, width })),
  { ...base, rows: 1, channels: 6, flipped: true },
  { ...base, groups: 5, rows: 1, taps: 3, width: 7 },
  { ...base, groups: 3, rows: 2, channels: 2, taps: 3, width: 10 },
  { ...base, images: 1, width: 640 },
  { ...base, images: 40, height: 1, width: 9, taps: 1, channels: 100, rows: 4 },
];

describe('direct contractions', () => {
  it.each(cases)('rows $rows, $groups × $channels channels, $width wide, $taps² taps, flipped $flipped', (sizes) => {
    const kernel = convolution(sizes);
    expect(directPlan(kernel)).toBeDefined();
    const counts = elements(sizes);
    const [weights, inputs] = [rough(counts.weights, 1), rough(counts.inputs, 2)];
    const outs = [backend, threaded].map((one) => {
      const out = new Float32Array(counts.outputs);
      runKernel(one, kernel, [weights, inputs, out]);
      return out;
    });
    expect(firstDifference(outs[1] ?? new Float32Array(), outs[0] ?? new Float32Array())).toBe(-1);
    const tall = convolution({ ...sizes, rows: tallRows });
    expect(directPlan(tall)).toBeUndefined();
    const { groups, rows, images, height, width } = sizes;
    const all = new Float32Array((counts.outputs / rows) * tallRows);
    runKernel(backend, tall, [taller(weights, sizes), inputs, all]);
    const block = rows * height * width;
    for (let group = 0; group < images * groups; group++) {
      const [own, other] = [(outs[0] ?? all).slice(group * block, (group + 1) * block), all.slice(group * tallRows * height * width).subarray(0, block)];
      expect(firstDifference(own, Float32Array.from(other))).toBe(-1);
    }
  });

  it('leaves longer sums and columns that lie apart to the tiled form', () => {
    expect(directPlan(convolution({ ...base, channels: 11 }))).toBeUndefined();
    expect(directPlan(convolution({ ...base, width: 3 }))).toBeUndefined();
    expect(directPlan(convolution({ ...base, width: 257 }))).toBeUndefined();
    expect(directPlan(convolution({ ...base, rows: 9 }))).toBeUndefined();
  });
});
