// Every second element, read and written: all vector widths, with and without masks, up to the last element of memory.
import { build, canonicalize, move, schedule, type Dtype, type Kernel, type Node } from '@athanor/core/backend';
import { afterAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../backend.ts';
import type { VectorBytes } from '../compiler/toolchain.ts';
import { convolution, errorOf, randomLeaf, resultsOf } from '../testing/problems.ts';
import { contractSource } from './contract/contract.ts';

const widths: readonly VectorBytes[] = [16, 32, 64];
const backends = widths.map((vectorBytes) => nativeBackend({ threads: 1, poison: true, vectorBytes }));
afterAll(() => backends.forEach((backend) => backend.dispose()));

const rows = 3;

function leafOf(length: number, dtype: Dtype): { x: Node; values: number[] } {
  const values = Array.from({ length: rows * length }, (_, i) => ((i * 37) % 101) + 1);
  const shape = [rows, length];
  if (dtype === 'float32') return { x: build.data(Float32Array.from(values), shape, dtype), values };
  if (dtype === 'int32') return { x: build.data(Int32Array.from(values), shape, dtype), values };
  if (dtype === 'float64') return { x: build.data(Float64Array.from(values), shape, dtype), values };
  return { x: build.data(Uint8Array.from(values), shape, 'uint8'), values };
}

function kernelsOf(outputs: readonly Node[]): readonly Kernel[] {
  const [backend] = backends;
  if (backend === undefined) throw new Error('no backend');
  return schedule(canonicalize({ outputs, assignments: [] }), backend.limits).kernels;
}

/** Strides along vectors of all accesses of one kind. */
function strides(outputs: readonly Node[], op: 'load' | 'store'): Set<number> {
  const found = kernelsOf(outputs).flatMap((kernel) =>
    kernel.kind === 'loop' ? kernel.instructions.flatMap((instruction) => (instruction.op === op ? [instruction.index.strides[kernel.vector] ?? 0] : [])) : [],
  );
  return new Set(found);
}

function resultsOfAll(outputs: readonly Node[]): number[][][] {
  return backends.map((backend) => resultsOf(backend, outputs).map((values) => Array.from(values)));
}

const counts = [9, 16, 17, 31, 32, 50];
const shapes = (['float32', 'int32', 'float64', 'uint8'] as const).flatMap((dtype) => counts.map((count) => ({ dtype, count })));

describe('every second element', () => {
  it('is read', { timeout: 120_000 }, () => {
    const cases = shapes.map(({ dtype, count }) => {
      const { x, values } = leafOf(2 * count - 1, dtype);
      const y = move.slice(x, [0, 0], [rows, 2 * count - 1], [1, 2]);
      return { y, want: Array.from({ length: rows * count }, (_, i) => values[Math.floor(i / count) * (2 * count - 1) + 2 * (i % count)]) };
    });
    const outputs = cases.map(({ y }) => y);
    expect(strides(outputs, 'load')).toEqual(new Set([2]));
    expect(resultsOfAll(outputs)).toEqual(backends.map(() => cases.map(({ want }) => want)));
  });

  it('is read where guards hold', { timeout: 120_000 }, () => {
    const cases = shapes.map(({ dtype, count }) => {
      const { x, values } = leafOf(2 * count - 1, dtype);
      const y = move.pad(move.slice(x, [0, 0], [rows, 2 * count - 1], [1, 2]), [[0, 0], [3, 5]], 7);
      const want = Array.from({ length: rows * (count + 8) }, (_, i) => {
        const at = (i % (count + 8)) - 3;
        return at < 0 || at >= count ? 7 : values[Math.floor(i / (count + 8)) * (2 * count - 1) + 2 * at];
      });
      return { y, want };
    });
    const outputs = cases.map(({ y }) => y);
    expect(strides(outputs, 'load')).toEqual(new Set([2]));
    expect(resultsOfAll(outputs)).toEqual(backends.map(() => cases.map(({ want }) => want)));
  });

  it('is written, and nothing between', { timeout: 120_000 }, () => {
    const cases = shapes.map(({ dtype, count }) => {
      const { x, values } = leafOf(count, dtype);
      const spread = move.pad(move.reshape(x, [rows, count, 1]), [[0, 0], [0, 0], [0, 1]], 0);
      const y = move.reshape(spread, [rows, 2 * count]);
      return { y, want: Array.from({ length: rows * 2 * count }, (_, i) => (i % 2 === 0 ? values[i / 2] : 0)) };
    });
    const outputs = cases.map(({ y }) => y);
    expect(strides(outputs, 'store')).toEqual(new Set([2]));
    expect(resultsOfAll(outputs)).toEqual(backends.map(() => cases.map(({ want }) => want)));
  });

  it('is packed for convolutions with stride 2', { timeout: 120_000 }, () => {
    const shapes = [
      { images: 3, channels: 5, outputs: 24, size: 33 },
      { images: 2, channels: 16, outputs: 40, size: 15 },
      { images: 5, channels: 3, outputs: 12, size: 20 },
    ];
    const outputs = shapes.map(({ images, channels, outputs: count, size }, i) =>
      convolution(randomLeaf([images, 1, channels, size, size], i), randomLeaf([1, count, channels, 3, 3], 10 + i), { stride: [2, 2] }),
    );
    const texts = kernelsOf(outputs).flatMap((kernel) => (kernel.kind === 'contract' ? widths.map((vectorBytes) => contractSource(kernel, { vectorBytes }).text) : []));
    expect(texts.some((text) => text.includes('pack_seconds_f32'))).toBe(true);
    for (const backend of backends) expect(errorOf(backend, outputs)).toBeLessThan(1e-6);
  });
});
