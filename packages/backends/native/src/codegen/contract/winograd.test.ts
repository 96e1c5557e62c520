// Winograd convolutions and their weight gradients against float64: odd sizes, groups; the same bits in every batch, for
// every vector width and on every number of threads.
import { canonicalize, gradient, schedule, type ContractKernel, type Node } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../../backend.ts';
import { convolution, errorOf, randomLeaf, resultsOf } from '../../testing/problems.ts';
import { gradientCut } from './winograd-gradient.ts';
import { isWinograd } from './winograd.ts';

const backend = nativeBackend({ threads: 1, poison: true });
const others = [
  nativeBackend({ threads: 3, delays: true, poison: true }),
  nativeBackend({ threads: 1, vectorBytes: 32, poison: true }),
  nativeBackend({ threads: 2, vectorBytes: 16, poison: true }),
];
afterAll(() => [backend, ...others].forEach((made) => made.dispose()));

interface Sizes {
  readonly images: number;
  readonly groups?: number;
  readonly channels: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
}

function problem({ images, groups = 1, channels, outputs, height, width }: Sizes): { x: Node; weight: Node; y: Node } {
  const x = randomLeaf([images, groups, channels, height, width], 1);
  const weight = randomLeaf([groups, outputs, channels, 3, 3], 2);
  return { x, weight, y: convolution(x, weight) };
}

function gradients({ x, weight, y }: ReturnType<typeof problem>): Node[] {
  return gradient(y, randomLeaf(y.shape, 3), [x, weight]).flatMap((node) => (node === undefined ? [] : [node]));
}

const cases: readonly Sizes[] = [
  { images: 3, channels: 16, outputs: 16, height: 32, width: 32 },
  { images: 5, channels: 33, outputs: 17, height: 8, width: 8 },
  { images: 2, channels: 20, outputs: 30, height: 7, width: 9 },
  { images: 2, groups: 2, channels: 24, outputs: 24, height: 14, width: 14 },
  { images: 1, channels: 300, outputs: 20, height: 5, width: 28 },
  { images: 2, channels: 16, outputs: 64, height: 11, width: 37 },
  { images: 9, channels: 48, outputs: 8, height: 28, width: 28 },
  { images: 2, channels: 130, outputs: 100, height: 16, width: 16 },
];

function contractions(outputs: readonly Node[]): ContractKernel[] {
  const { kernels } = schedule(canonicalize({ outputs, assignments: [] }), backend.limits);
  return kernels.flatMap((kernel) => (kernel.kind === 'contract' ? [kernel] : []));
}

describe.each(cases)('$images × $channels × $height × $width to $outputs', (sizes) => {
  it('is as exact as sums of products', { timeout: 60_000 }, () => {
    const { x, weight, y } = problem(sizes);
    expect(contractions([y]).some(isWinograd)).toBe(true);
    expect(contractions(gradients({ x, weight, y })).some((kernel) => gradientCut(kernel) !== undefined)).toBe(true);
    expect(errorOf(backend, [y, ...gradients({ x, weight, y })])).toBeLessThan(2e-6);
  });

  it('gives the same bits on all machines', { timeout: 60_000 }, () => {
    const made = problem(sizes);
    const want = resultsOf(backend, [made.y, ...gradients(made)]);
    for (const other of others) expect(resultsOf(other, [made.y, ...gradients(made)])).toEqual(want);
  });
});

it('gives the same bits in every batch', { timeout: 60_000 }, () => {
  // The values of a leaf of fewer images begin those of one of more.
  const sizes = { channels: 32, outputs: 32, height: 8, width: 8 };
  const [all] = resultsOf(backend, [problem({ ...sizes, images: 7 }).y]);
  for (const images of [1, 4]) {
    const [some] = resultsOf(backend, [problem({ ...sizes, images }).y]);
    expect(some).toEqual(all?.subarray(0, images * 32 * 64));
  }
});
