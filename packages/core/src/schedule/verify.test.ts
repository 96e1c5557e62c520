// What the verifier refuses: sums over outer loops in kernels that could not compute them.
import { describe, expect, it } from 'vitest';
import type { Affine, Instruction, LoopKernel, Program } from '../kernel/ir.ts';
import { verify } from './verify.ts';

const affine = (...strides: number[]): Affine => ({ offset: 0, strides });
const load: Instruction = { op: 'load', buffer: 0, index: affine(30, 10, 1), guards: [], fill: 0, dtype: 'float32' };
const one: Instruction = { op: 'constant', value: 1, dtype: 'float32' };
const accumulate: Instruction = { op: 'accumulate', buffer: 1, index: affine(10, 0, 1), input: 0, dtype: 'float32' };

/** Column sums of two parts of three rows of ten elements. */
const columns: LoopKernel = {
  kind: 'loop', name: 'columns', loops: [2, 3, 10], outer: 2, vector: 2, rows: [], scatters: false,
  buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }],
  instructions: [load, accumulate],
  stages: [1, 1],
};

function programOf(kernel: LoopKernel): Program {
  const sizes = [60, 60].map((elements) => ({ dtype: 'float32', elements }) as const);
  return {
    kernels: [kernel],
    commands: [{ kernel: 0, arguments: [0, 1].map((buffer) => ({ buffer, offset: 0 })), barrier: false }],
    buffers: [
      { ...sizes[0], dtype: 'float32', elements: 60, place: { kind: 'input', index: 0 } },
      { ...sizes[1], dtype: 'float32', elements: 60, place: { kind: 'output', index: 0 } },
    ],
    arenaBytes: 0,
    inputs: sizes.slice(0, 1),
    variables: [],
    outputs: sizes.slice(1),
  };
}

describe('verify', () => {
  it('lets a kernel sum up columns', () => {
    expect(() => verify(programOf(columns))).not.toThrow();
    expect(() => verify(programOf({ ...columns, outer: 3, stages: [0, 0] }))).not.toThrow();
  });

  it.each<[string, Partial<LoopKernel>]>([
    ['once for all inner positions', { stages: [1, 2] }],
    ['beside its vector loop', { vector: 1 }],
    ['beside its vector loop', { outer: 3, vector: 1, stages: [0, 0] }],
    ['in memory that it also uses otherwise', { instructions: [{ ...load, buffer: 1 }, accumulate] }],
    ['in memory that it also uses otherwise', { buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'readwrite' }] }],
    ['over other loops than those before the last', { instructions: [load, { ...accumulate, index: affine(0, 10, 1) }] }],
    ['over other loops than those before the last', { instructions: [load, { ...accumulate, index: affine(1, 0, 0) }] }],
    ['over other loops than those before the last', { instructions: [one, accumulate, { ...accumulate, buffer: 0, index: affine(30, 10, 1) }], stages: [0, 1, 1], buffers: [1, 2].map(() => ({ dtype: 'float32', access: 'write' })) }],
    ['elements that overlap or lie apart', { instructions: [load, { ...accumulate, index: affine(5, 0, 1) }] }],
    ['elements that overlap or lie apart', { instructions: [load, { ...accumulate, index: affine(30, 0, 2) }] }],
  ])('refuses to sum up %s', (what, change) => {
    expect(() => verify(programOf({ ...columns, ...change }))).toThrow(`kernel columns accumulates ${what}`);
  });
});
