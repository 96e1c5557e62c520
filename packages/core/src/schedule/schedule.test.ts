// The scheduler: fused programs compute what the interpreter computes, in the number of kernels that they should.
import { describe, expect, it } from 'vitest';
import type { BackendLimits } from '../backend/backend.ts';
import { arrayOf, type TypedArray } from '../dtype.ts';
import { apply, cast, constant, iota, read, reduce, where } from '../graph/build.ts';
import { accumulations } from '../kernel/accumulate.ts';
import { canonicalize } from '../graph/canonical.ts';
import { conv, dot, gather, scatterAdd } from '../graph/combine.ts';
import { expand, flip, pad, permute, reshape, slice, window } from '../graph/move.ts';
import type { Node, VariableSlot } from '../graph/node.ts';
import { interpretAll } from '../reference/interpret.ts';
import { elementCount } from '../shape.ts';
import { leaf, randomLeaf, randomNumbers } from '../testing/evaluate.ts';
import { runProgram } from '../testing/run-program.ts';
import type { Program } from '../kernel/ir.ts';
import { explainProgram } from './explain.ts';
import { schedule } from './schedule.ts';
import { verify } from './verify.ts';

const limits: BackendLimits = {
  buffersPerKernel: 32,
  storesPerKernel: 16,
  elements: 2 ** 31,
  dtypes: ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'],
};

let slots = 0;
function variable(shape: number[]): VariableSlot {
  return { id: ++slots, name: `v${slots}`, shape, dtype: 'float64' };
}

/** Schedules with and without fusion, runs both, compares with the interpreter; returns the fused program. */
function check(outputs: Node[], assignments: { variable: VariableSlot; value: Node }[] = []): Program {
  const graph = canonicalize({ outputs, assignments });
  const inputs = graph.inputs.map((node) => (node.op === 'data' ? node.attributes.leaf.data : undefined) ?? new Float64Array(0));
  const state = (): TypedArray[] =>
    graph.variables.map((slot, i) => {
      const array = arrayOf(slot.dtype, elementCount(slot.shape));
      array.set(randomNumbers(array.length, 100 + i));
      return array;
    });
  const expected = interpretAll(graph, inputs, state());
  const run = (fuse: boolean): Program => {
    const program = schedule(graph, limits, { fuse });
    verify(program);
    const variables = state();
    const results = runProgram(program, { inputs, variables });
    results.forEach((result, i) => close(result, expected.outputs[i]));
    graph.assignments.forEach((assignment, i) => close(variables[graph.variables.indexOf(assignment.variable)], expected.assignments[i]));
    return program;
  };
  run(false);
  return run(true);
}

function close(actual: ArrayLike<number> | undefined, expected: ArrayLike<number> | undefined): void {
  expect(actual?.length).toBe(expected?.length);
  for (let i = 0; i < (expected?.length ?? 0); i++) {
    const [x, y] = [actual?.[i] ?? Number.NaN, expected?.[i] ?? 0];
    if (!(Math.abs(x - y) <= 1e-9 * (1 + Math.abs(y)))) expect({ i, x }).toEqual({ i, x: y });
  }
}

const fill = (value: number, shape: number[]): Node => expand(reshape(constant(value, 'float64'), shape.map(() => 1)), shape);
const mean = (x: Node, axes: number[], count: number): Node => {
  const sum = reduce('sum', x, axes);
  return apply('div', sum, fill(count, [...sum.shape]));
};

describe('schedule', () => {
  it('computes an elementwise chain in one kernel', () => {
    const x = randomLeaf([4, 5], 1);
    const y = randomLeaf([4, 5], 2);
    expect(check([apply('exp', apply('add', apply('mul', x, y), x))]).commands).toHaveLength(1);
  });

  it('computes softmax in one kernel and keeps the exponentials', () => {
    const x = randomLeaf([6, 50], 3);
    const shifted = apply('sub', x, expand(reduce('maxReduce', x, [1]), [6, 50]));
    const e = apply('exp', shifted);
    const program = check([apply('div', e, expand(reduce('sum', e, [1]), [6, 50]))]);
    expect(program.commands).toHaveLength(1);
    expect(program.kernels[0]).toMatchObject({ kind: 'loop', outer: 1, rows: ['float64'] });
  });

  it('computes batch norm over N, H, W in one kernel', () => {
    const shape = [3, 9, 4, 5];
    const x = randomLeaf(shape, 4, { shift: 100 });
    const gamma = randomLeaf([9], 5);
    const mu = mean(x, [0, 2, 3], 60);
    const centred = apply('sub', x, expand(mu, shape));
    const variance = mean(apply('mul', centred, centred), [0, 2, 3], 60);
    const deviation = apply('sqrt', apply('add', variance, fill(1e-5, [1, 9, 1, 1])));
    const normal = apply('div', centred, expand(deviation, shape));
    const out = apply('mul', normal, expand(reshape(gamma, [1, 9, 1, 1]), shape));
    expect(check([out, reshape(mu, [9])]).commands).toHaveLength(1);
  });

  it('computes group norm, whose statistics live in another shape than its affine part, in one kernel', () => {
    const x = randomLeaf([2, 6, 4, 4], 6);
    const grouped = reshape(x, [2, 3, 32]);
    const mu = mean(grouped, [2], 32);
    const centred = reshape(apply('sub', grouped, expand(mu, [2, 3, 32])), [2, 6, 4, 4]);
    const out = apply('mul', centred, expand(reshape(randomLeaf([6], 7), [1, 6, 1, 1]), [2, 6, 4, 4]));
    expect(check([out]).commands.length).toBeLessThanOrEqual(2);
  });

  it('sums a sample in one order, whatever is read beside it and however many samples there are', () => {
    const orderWith = (samples: number, vectors: number): unknown => {
      const shape = [samples, 8, 3, 4];
      const perChannel = (seed: number): Node => expand(reshape(randomLeaf([8], seed), [1, 8, 1, 1]), shape);
      const x = randomLeaf(shape, 1);
      let y = apply('sub', x, expand(reduce('sum', x, [1, 2, 3]), shape));
      for (let i = 0; i < vectors; i++) y = apply(i % 2 === 0 ? 'add' : 'mul', y, perChannel(2 + i));
      const { kernels } = check([y]);
      expect(kernels).toHaveLength(1);
      const [kernel] = kernels;
      if (kernel?.kind !== 'loop') throw new Error('no loops');
      return { inner: kernel.loops.slice(kernel.outer), vector: kernel.vector - kernel.outer };
    };
    const alone = orderWith(1, 1);
    expect(alone).toEqual({ inner: [8, 12], vector: 1 });
    for (const samples of [1, 4]) for (const vectors of [2, 4, 6]) expect(orderWith(samples, vectors)).toEqual(alone);
  });

  it('moves bias and activation into a matrix product', () => {
    const product = dot(randomLeaf([7, 5], 8), randomLeaf([5, 6], 9), { batch: [], contract: [[1, 0]], combine: 'multiply-add' });
    const bias = expand(reshape(randomLeaf([6], 10), [1, 6]), [7, 6]);
    const out = apply('max', apply('add', product, bias), fill(0, [7, 6]));
    const program = check([out]);
    expect(program.commands).toHaveLength(1);
    expect(program.kernels[0]?.kind).toBe('contract');
  });

  it('reads transposed operands of a product as views', () => {
    const a = permute(randomLeaf([5, 7], 8), [1, 0]);
    const b = permute(randomLeaf([6, 5], 9), [1, 0]);
    expect(check([dot(a, b, { batch: [], contract: [[1, 0]], combine: 'multiply-add' })]).commands).toHaveLength(1);
  });

  it.each([
    { stride: 1, padding: 1, dilation: 1, inputDilation: 1 },
    { stride: 2, padding: 1, dilation: 1, inputDilation: 1 },
    { stride: 1, padding: 2, dilation: 2, inputDilation: 1 },
    { stride: 1, padding: 2, dilation: 1, inputDilation: 2 },
    { stride: 2, padding: -1, dilation: 1, inputDilation: 3 },
  ])('computes convolutions %j', ({ stride, padding, dilation, inputDilation }) => {
    const x = randomLeaf([2, 2, 3, 6, 7], 11);
    const w = randomLeaf([2, 4, 3, 3, 3], 12);
    const two = (value: number): number[] => [value, value];
    const out = conv(x, w, {
      stride: two(stride),
      padding: [[padding, padding], [padding, padding]],
      kernelDilation: two(dilation),
      inputDilation: two(inputDilation),
      combine: 'multiply-add',
    });
    expect(check([apply('tanh', out)]).kernels.some((kernel) => kernel.kind === 'contract')).toBe(true);
  });

  it('shares the padded input of two convolutions', () => {
    const x = apply('exp', randomLeaf([1, 1, 3, 5, 5], 13));
    const options = { stride: [1, 1], kernelDilation: [1, 1], inputDilation: [1, 1], combine: 'multiply-add' } as const;
    const outs = [14, 15].map((seed) => conv(x, randomLeaf([1, 2, 3, 3, 3], seed), { ...options, padding: [[1, 1], [1, 1]] }));
    expect(check(outs).commands).toHaveLength(3);
  });

  it('follows views: slices, flips, windows, pads of expressions', () => {
    const x = randomLeaf([4, 6], 16);
    const e = apply('exp', x);
    const program = check([
      apply('neg', slice(e, [1, 0], [4, 6], [2, 3])),
      apply('neg', flip(permute(e, [1, 0]), [0])),
      reduce('sum', window(e, 1, { size: 3, stride: 2 }), [2]),
      apply('neg', pad(e, [[1, 0], [2, 1]], 7)),
      apply('neg', pad(pad(x, [[1, 1], [0, 0]], 2), [[0, 0], [1, 1]], 3)),
      apply('neg', reshape(permute(x, [1, 0]), [3, 8])),
      apply('add', reshape(permute(x, [1, 0]), [24]), reshape(permute(reshape(x, [3, 8]), [1, 0]), [24])),
    ]);
    expect(program.outputs).toHaveLength(7);
  });

  it('guards only the loads of a padded expression whose addresses leave their memory', () => {
    const x = randomLeaf([2, 4, 6], 40);
    const bias = expand(reshape(randomLeaf([4], 41), [1, 4, 1]), [2, 4, 6]);
    const shared = expand(reshape(randomLeaf([6], 42), [1, 1, 6]), [2, 4, 6]);
    const y = pad(apply('exp', apply('mul', apply('add', x, bias), shared)), [[0, 0], [0, 0], [2, 1]], 0);
    const { kernels } = check([y]);
    const loads = kernels.flatMap((kernel) => (kernel.kind === 'loop' ? kernel.instructions : [])).filter((instruction) => instruction.op === 'load');
    expect(loads.map(({ index, guards }) => [index.strides.at(-1), guards.length])).toEqual([[1, 1], [0, 0], [1, 1]]);
    // What lies beside the expression alone, along an axis that the bias is repeated along, and one that it is not.
    check([slice(y, [0, 0, 0], [2, 4, 2], [1, 1, 1])]);
    const outside = pad(apply('exp', bias), [[1, 0], [3, 0], [0, 0]], 5);
    check([slice(outside, [0, 0, 0], [1, 2, 6], [1, 1, 1]), apply('neg', slice(outside, [0, 1, 0], [2, 7, 6], [1, 2, 1]))]);
  });

  it('gathers, scatters and masks', () => {
    const x = randomLeaf([5, 3], 17);
    const index = leaf([0, 4, 2, 2, 1, 0], [2, 3], 'int32');
    const rows = gather(apply('mul', x, x), index, 0);
    const hot = cast(apply('eq', expand(reshape(iota(3), [1, 3]), [2, 3]), index), 'float64');
    const program = check([rows, scatterAdd(x, index, apply('neg', rows), 0), where(apply('lt', rows, hot), rows, hot)]);
    expect(program.kernels.some((kernel) => kernel.kind === 'loop' && kernel.scatters)).toBe(true);
  });

  it('updates variables in place, and swaps them through copies', () => {
    const [a, b] = [variable([8]), variable([8])];
    const [readA, readB] = [read(a, 0), read(b, 0)];
    const update = check([], [{ variable: a, value: apply('sub', readA, apply('mul', readB, readB)) }]);
    expect(update.commands).toHaveLength(1);
    expect(update.arenaBytes).toBe(0);
    const swap = check([], [{ variable: a, value: readB }, { variable: b, value: readA }]);
    expect(swap.commands.length).toBeGreaterThan(2);
    check([reduce('sum', readA, [0])], [{ variable: a, value: flip(readA, [0]) }]);
  });

  it('splits long reductions to few values', () => {
    const program = check([reduce('sum', randomLeaf([64, 1024], 18), [0, 1])]);
    expect(program.commands).toHaveLength(2);
  });

  it('sums long samples whole, however few they are', () => {
    for (const samples of [1, 3, 6]) {
      const { kernels } = check([reduce('sum', randomLeaf([samples, 20, 1000], 18), [1, 2])]);
      expect(kernels).toMatchObject([{ kind: 'loop', vector: samples === 1 ? 0 : 1 }]);
      const [kernel] = kernels;
      expect(kernel?.kind === 'loop' && kernel.loops.slice(kernel.outer)).toEqual([20_000]);
    }
  });

  /** Layer norm with all gradients, from a given gradient of its result. */
  const layerNorm = (shape: number[], axes: number[]): Node[] => {
    const features = shape.map((size, axis) => (axes.includes(axis) ? size : 1));
    const count = elementCount(features);
    const [x, dy, gamma] = [randomLeaf(shape, 20), randomLeaf(shape, 21), expand(randomLeaf(features, 22), shape)];
    const mu = mean(x, axes, count);
    const centred = apply('sub', x, expand(mu, shape));
    const variance = mean(apply('mul', centred, centred), axes, count);
    const inverse = expand(apply('div', fill(1, [...variance.shape]), apply('sqrt', apply('add', variance, fill(1e-5, [...variance.shape])))), shape);
    const normal = apply('mul', centred, inverse);
    const y = apply('mul', normal, gamma);
    const slope = apply('mul', apply('add', dy, y), gamma);
    const along = apply('mul', normal, expand(mean(apply('mul', slope, normal), axes, count), shape));
    const dx = apply('mul', inverse, apply('sub', apply('sub', slope, expand(mean(slope, axes, count), shape)), along));
    const outer = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    return [y, dx, reduce('sum', apply('mul', apply('add', dy, y), normal), outer), reduce('sum', apply('add', dy, y), outer)];
  };

  const planOf = (outputs: Node[]): Program => {
    const program = schedule(canonicalize({ outputs, assignments: [] }), limits);
    verify(program);
    return program;
  };
  const sumsOf = (program: Program): number[] =>
    program.commands.map(({ kernel }) => program.kernels[kernel]).map((kernel) => (kernel?.kind === 'loop' ? accumulations(kernel).length : 0));

  it.each([
    { shape: [2048, 128], axes: [1] },
    { shape: [12, 100, 250], axes: [2] },
    { shape: [4, 96, 7, 100], axes: [2, 3] },
  ])('sums up the gradients of a layer norm\'s parameters in the pass that makes its input\'s, $shape', ({ shape, axes }) => {
    const program = planOf(layerNorm(shape, axes));
    expect(sumsOf(program)).toEqual([2, 0, 0]);
    expect(explainProgram(program)).toContain('2 accumulate');
  });

  it('sums up rows and columns in one pass, in parts', { timeout: 60_000 }, () => {
    const x = randomLeaf([1040, 257], 23);
    const scaled = apply('mul', x, expand(reduce('sum', x, [1]), [1040, 257]));
    expect(sumsOf(check([scaled, reduce('sum', scaled, [0])]))).toEqual([1, 0]);
  });

  it('sums up columns where an elementwise kernel makes them, along its rows', { timeout: 60_000 }, () => {
    const masked = apply('mul', randomLeaf([1040, 257], 26), cast(apply('lt', randomLeaf([1040, 257], 27), randomLeaf([1040, 257], 28)), 'float64'));
    const program = check([masked, reduce('sum', masked, [0])]);
    expect(sumsOf(program)).toEqual([1, 0]);
    expect(program.kernels[0]).toMatchObject({ loops: [65, 16, 257], outer: 3, vector: 2 });
  });

  it('sums up columns by themselves where no kernel goes along the rows, or where rows cannot be cut into parts', () => {
    expect(planOf([reduce('sum', randomLeaf([2048, 128], 25), [0])]).commands).toHaveLength(1);
    expect(sumsOf(planOf(layerNorm([2053, 128], [1])))).toEqual([0, 0]);
    const sample = apply('exp', randomLeaf([1, 2048, 128], 29));
    expect(sumsOf(planOf([sample, reduce('sum', sample, [1])]))).not.toContain(1);
  });

  it('sums up rows that lie apart along each row first, where caches do not hold them', () => {
    const loopsOf = (shape: number[]): (readonly number[])[] => planOf([reduce('sum', randomLeaf(shape, 26), [0, 2, 3])]).kernels.map((kernel) => (kernel.kind === 'loop' ? kernel.loops : []));
    expect(loopsOf([64, 8, 16, 128])).toEqual([[512, 2048], [8, 64]]);
    expect(loopsOf([64, 8, 16, 16])).toEqual([[8, 64, 256]]);
    // Rows of a few elements stay where they are.
    expect(loopsOf([8192, 16, 2, 4])).toEqual([[16, 8192, 8]]);
  });

  it('takes a chain of 100,000 operations', { timeout: 120_000 }, () => {
    let x = randomLeaf([3], 19);
    for (let i = 0; i < 100_000; i++) x = apply(i % 2 === 0 ? 'neg' : 'abs', x);
    const graph = canonicalize({ outputs: [x], assignments: [] });
    expect(schedule(graph, limits).commands.length).toBeGreaterThan(100);
  });
});
