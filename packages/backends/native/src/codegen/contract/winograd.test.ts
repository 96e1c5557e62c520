// Winograd convolutions and their weight gradients against float64: odd sizes, groups; the same bits in every batch, for
// every vector width and on every number of threads.
import { build, canonicalize, elementCount, gradient, schedule, type ContractKernel, type Node } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../../backend.ts';
import { convolution, exactResults, randomLeaf, randomValues, resultsOf } from '../../testing/problems.ts';
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

function problem({ images, groups = 1, channels, outputs, height, width }: Sizes, leaf = randomLeaf): { x: Node; weight: Node; y: Node } {
  const x = leaf([images, groups, channels, height, width], 1);
  const weight = leaf([groups, outputs, channels, 3, 3], 2);
  return { x, weight, y: convolution(x, weight) };
}

function gradients({ x, weight, y }: ReturnType<typeof problem>, leaf = randomLeaf): Node[] {
  return gradient(y, leaf(y.shape, 3), [x, weight]).flatMap((node) => (node === undefined ? [] : [node]));
}

/** The sizes of the same values: of them, results are the sums of the sizes of all products. */
const sizesLeaf: typeof randomLeaf = (shape, seed) => build.data(randomValues(elementCount(shape), seed).map(Math.abs), shape, 'float32');

/**
 * Largest errors of outputs, input gradients and weight gradients, in parts of the sum of the sizes of an element's
 * products inside an image: at its border are fewer products, but tiles bring the rounding of their other elements.
 */
const bounds = [8e-7, 8e-7, 3e-7];

const largest = (values: Iterable<number>): number => Array.from(values).reduce((most, value) => Math.max(most, value), 0);

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
  it('is nearly as exact as sums of products', { timeout: 60_000 }, () => {
    const [made, products] = [problem(sizes), problem(sizes, sizesLeaf)];
    const outputs = [made.y, ...gradients(made)];
    expect(contractions([made.y]).some(isWinograd)).toBe(true);
    expect(contractions(gradients(made)).some((kernel) => gradientCut(kernel) !== undefined)).toBe(true);
    const [want, most] = [exactResults(outputs), exactResults([products.y, ...gradients(products, sizesLeaf)])];
    resultsOf(backend, outputs).forEach((values, i) => {
      const errors = Array.from(values, (value, j) => Math.abs(value - (want[i]?.[j] ?? NaN)));
      expect(largest(errors) / largest(most[i] ?? [])).toBeLessThan(bounds[i] ?? 0);
    });
  });

  it('gives the same bits on all machines', { timeout: 60_000 }, () => {
    const made = problem(sizes);
    const want = resultsOf(backend, [made.y, ...gradients(made)]);
    for (const other of others) expect(resultsOf(other, [made.y, ...gradients(made)])).toEqual(want);
  });
});

it.each([8, 12, 13, 14, 15])('gives an image of width and height %i the same bits alone and in a batch with NaN', { timeout: 60_000 }, (side) => {
  const sizes = { channels: 32, outputs: 32, height: side, width: side };
  // The values of a leaf of fewer images begin those of one of more.
  const length = 32 * side * side;
  const leaf: typeof randomLeaf = (shape, seed) => {
    const values = randomValues(elementCount(shape), seed);
    return build.data(seed === 1 ? values.fill(NaN, 4 * length) : values, shape, 'float32');
  };
  const [all] = resultsOf(backend, [problem({ ...sizes, images: 7 }, leaf).y]);
  for (const images of [1, 4]) {
    const [some] = resultsOf(backend, [problem({ ...sizes, images }).y]);
    expect(some?.every(Number.isFinite)).toBe(true);
    expect(some).toEqual(all?.subarray(0, images * length));
  }
});

it('is chosen where its transforms and its padding cost less than it saves', () => {
  const made = (sizes: Partial<Sizes>) => problem({ images: 1, channels: 16, outputs: 16, height: 8, width: 8, ...sizes });
  const chosen = (sizes: Partial<Sizes>): boolean => contractions([made(sizes).y]).some(isWinograd);
  const chosenForWeights = (sizes: Partial<Sizes>): boolean => contractions(gradients(made(sizes)).slice(1)).some((kernel) => gradientCut(kernel) !== undefined);
  for (const how of [chosen, chosenForWeights]) {
    expect([4, 5, 6, 7, 8, 9].map((side) => how({ height: side, width: side }))).toEqual([true, false, true, true, true, true]);
  }
  expect(chosen({ channels: 64, outputs: 64, height: 5, width: 5 })).toBe(true);
  expect(chosen({ channels: 4 })).toBe(false);
  expect(chosen({ outputs: 4 })).toBe(false);
  expect(chosen({ width: 3 })).toBe(false);
  const [x, weight] = [randomLeaf([1, 1, 16, 16, 16], 1), randomLeaf([1, 16, 16, 3, 3], 2)];
  expect(contractions([convolution(x, weight, { stride: [2, 2] })]).some(isWinograd)).toBe(false);
});
