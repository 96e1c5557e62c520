// Convolutions over inputs with zeros between: the same values as with the zeros, by fewer products.
import { describe, expect, it } from 'vitest';
import type { BackendLimits } from '../backend/backend.ts';
import { apply, constant, where } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import { conv } from '../graph/combine.ts';
import { expand, reshape } from '../graph/move.ts';
import type { ConvAttributes, Node, NodeOf } from '../graph/node.ts';
import { gradient } from '../gradient/gradient.ts';
import { loopCount, type ContractKernel, type Program } from '../kernel/ir.ts';
import { interpretAll } from '../reference/interpret.ts';
import { randomLeaf } from '../testing/evaluate.ts';
import { runProgram } from '../testing/run-program.ts';
import { hasPhases } from './phases.ts';
import { schedule } from './schedule.ts';
import { verify } from './verify.ts';

const limits: BackendLimits = {
  buffersPerKernel: 64,
  storesPerKernel: 16,
  elements: 2 ** 31,
  dtypes: ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'],
};

/** The largest difference of a scheduled graph's results from the interpreter's. */
function errorOf(outputs: readonly Node[]): { error: number; program: Program } {
  const graph = canonicalize({ outputs, assignments: [] });
  const inputs = graph.inputs.map((node) => (node.op === 'data' ? node.attributes.leaf.data : undefined) ?? new Float64Array(0));
  const want = interpretAll(graph, inputs, []).outputs;
  const program = schedule(graph, limits);
  verify(program);
  const got = runProgram(program, { inputs, variables: [] });
  const differences = want.flatMap((values, i) => Array.from(values, (value, j) => Math.abs(value - (got[i]?.[j] ?? NaN))));
  return { error: differences.reduce((most, difference) => (difference <= most ? most : difference), 0), program };
}

function attributesOf(rank: number, changes: Partial<ConvAttributes>): ConvAttributes {
  const ones = Array.from({ length: rank }, () => 1);
  return { stride: ones, padding: ones.map(() => [0, 0]), inputDilation: ones, kernelDilation: ones, combine: 'multiply-add', ...changes };
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

function contractions({ kernels }: Program): ContractKernel[] {
  return kernels.flatMap((kernel) => (kernel.kind === 'contract' ? [kernel] : []));
}

describe('convolutions over inputs with zeros between', () => {
  it.each([2, 3, 4].flatMap((dilation) => range(1, 6).map((kernel) => ({ dilation, kernel }))))('dilation $dilation, kernel $kernel: with any padding and cropping', ({ dilation, kernel }) => {
    const [samples, groups, channels, outputs, length] = [2, 2, 3, 2, 5];
    const x = randomLeaf([samples, groups, channels, length], 1);
    const weight = randomLeaf([groups, outputs, channels, kernel], 2);
    const span = (length - 1) * dilation + 1;
    const paddings = range(-2, 5).flatMap((low) => range(-2, 5).flatMap((high) => (span + low + high >= kernel ? [[low, high] as const] : [])));
    const results = paddings.map((pair) => conv(x, weight, attributesOf(1, { inputDilation: [dilation], padding: [pair] })));
    expect(results.length).toBeGreaterThan(50);
    expect(errorOf(results).error).toBeLessThan(1e-12);
  });

  it('works along several axes, dilated or not', () => {
    const x = randomLeaf([2, 1, 3, 4, 5, 3], 3);
    const weight = randomLeaf([1, 2, 3, 3, 2, 1], 4);
    const results = [
      conv(x, weight, attributesOf(3, { inputDilation: [2, 3, 2], padding: [[1, 1], [0, 2], [0, 1]] })),
      conv(x, weight, attributesOf(3, { inputDilation: [2, 1, 1], stride: [1, 2, 1], kernelDilation: [1, 2, 1], padding: [[2, 0], [1, 1], [0, 0]] })),
      // Not walked step by step: by a copy with zeros.
      conv(x, weight, attributesOf(3, { inputDilation: [2, 1, 1], stride: [2, 1, 1], padding: [[1, 1], [0, 0], [0, 0]] })),
      conv(x, weight, attributesOf(3, { inputDilation: [2, 1, 1], kernelDilation: [2, 1, 1], padding: [[1, 1], [0, 0], [0, 0]] })),
    ];
    expect(results.map((node) => hasPhases(node as NodeOf<'conv'>))).toEqual([true, true, false, false]);
    expect(errorOf(results).error).toBeLessThan(1e-12);
  });

  it('makes a strided input gradient one contraction over the gradient as it is, with what follows', () => {
    const [channels, outputs] = [3, 5];
    const x = randomLeaf([2, 1, channels, 8, 8], 5);
    const weight = randomLeaf([1, outputs, channels, 3, 3], 6);
    const y = conv(x, weight, attributesOf(2, { stride: [2, 2], padding: [[1, 1], [1, 1]] }));
    const [dx] = gradient(y, randomLeaf(y.shape, 7), [x]);
    if (dx === undefined) throw new Error('no gradient');
    const zero = expand(reshape(constant(0, 'float64'), x.shape.map(() => 1)), x.shape);
    const masked = where(apply('lt', zero, x), dx, zero);
    const { error, program } = errorOf([masked]);
    expect(error).toBeLessThan(1e-12);
    expect(contractions(program)).toEqual([expect.objectContaining({ m: [channels, 2, 2], n: [2, 4, 4], k: [outputs, 2, 2] })]);
    expect(program.kernels.at(-1)?.kind).toBe('contract');
  });

  it('computes phases without taps of 1 × 1 kernels nowhere', () => {
    const x = randomLeaf([2, 1, 3, 8, 8], 8);
    const weight = randomLeaf([1, 5, 3, 1, 1], 9);
    const y = conv(x, weight, attributesOf(2, { stride: [2, 2] }));
    const [dx] = gradient(y, randomLeaf(y.shape, 10), [x]);
    if (dx === undefined) throw new Error('no gradient');
    const { error, program } = errorOf([dx]);
    expect(error).toBeLessThan(1e-12);
    const [kernel] = contractions(program);
    expect(kernel === undefined ? 0 : loopCount([...kernel.m, ...kernel.n, ...kernel.k])).toBe(3 * 2 * 4 * 4 * 5);
  });
});
