// Keys of kernels: equal for what computes the same, and only for that.
import { describe, expect, it } from 'vitest';
import { kernelKey, type LoopKernel } from './ir.ts';

/** out[i] = the number. */
function fillOf(value: number, name = 'fill'): LoopKernel {
  return {
    kind: 'loop',
    name,
    loops: [8],
    outer: 1,
    vector: 0,
    buffers: [{ dtype: 'float32', access: 'write' }],
    instructions: [
      { op: 'constant', value, dtype: 'float32' },
      { op: 'store', buffer: 0, index: { offset: 0, strides: [1] }, input: 0, dtype: 'float32' },
    ],
    stages: [0, 0],
    rows: [],
    scatters: false,
  };
}

describe('kernelKey', () => {
  it('does not depend on the name', () => {
    expect(kernelKey(fillOf(1, 'one'))).toBe(kernelKey(fillOf(1, 'other')));
  });

  it('tells numbers apart that JSON cannot write', () => {
    const keys = [0, -0, 1, Infinity, -Infinity, NaN].map((value) => kernelKey(fillOf(value)));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
