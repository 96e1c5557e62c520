// The expectations against answers that are known without computing them as float64.ts does.
import { describe, expect, it } from 'vitest';
import { expectationsOf, relativeError, type Expected } from './float64.ts';
import { inputsOf } from './numbers.ts';
import type { Problem } from './problem.ts';
import type { ModelProblem } from './models.ts';

const resultOf = (problem: Exclude<Problem, ModelProblem>, name: string): Expected => {
  const expected = expectationsOf(problem)[name];
  if (expected === undefined) throw new Error(`no ${name}`);
  return expected;
};
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe('expectationsOf', () => {
  it('AᵀB of the stored A is AB of its transpose', () => {
    const n = 5;
    const { x = new Float32Array(), second = new Float32Array() } = inputsOf({ kind: 'matmul', n, form: 'NN' }).batches[0] ?? {};
    const product = (form: 'NN' | 'TN' | 'NT'): Float64Array => resultOf({ kind: 'matmul', n, form }, 'y').values;
    let [corner, transposedLeft, transposedRight] = [0, 0, 0];
    for (let k = 0; k < n; k++) {
      corner += (x[n + k] ?? 0) * (second[k * n + 2] ?? 0);
      transposedLeft += (x[k * n + 1] ?? 0) * (second[k * n + 2] ?? 0);
      transposedRight += (x[n + k] ?? 0) * (second[2 * n + k] ?? 0);
    }
    expect(product('NN')[n + 2]).toBeCloseTo(corner, 12);
    expect(product('TN')[n + 2]).toBeCloseTo(transposedLeft, 12);
    expect(product('NT')[n + 2]).toBeCloseTo(transposedRight, 12);
  });

  it('the gradient of a norm has no mean in a group', () => {
    const { values } = resultOf({ kind: 'layer-norm', shape: [3, 10] }, 'dx');
    for (let row = 0; row < 3; row++) expect(sum(values.slice(row * 10, row * 10 + 10))).toBeCloseTo(0, 10);
    const channels = resultOf({ kind: 'batch-norm', shape: [2, 3, 4, 5] }, 'dx').values;
    for (let c = 0; c < 3; c++) expect(sum([...channels].filter((_, i) => Math.floor(i / 20) % 3 === c))).toBeCloseTo(0, 10);
  });

  it('rows of softmax sum to 1, those of its gradient to 0', () => {
    const problem = { kind: 'softmax', shape: [2, 7] } as const;
    expect(sum(resultOf(problem, 'y').values.slice(0, 7))).toBeCloseTo(1, 12);
    expect(sum(resultOf(problem, 'dx').values.slice(7))).toBeCloseTo(0, 12);
  });

  it('the gradients of a convolution are adjoint to it', () => {
    const problem = { kind: 'conv', input: [2, 3, 5, 4], outputs: 2, kernel: 3, padding: 1, train: true } as const;
    const { batches: [first], fixed } = inputsOf(problem);
    const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number => sum(Array.from(a, (value, i) => value * (b[i] ?? NaN)));
    /** All values, in order. */
    const ordered = ({ values, positions }: Expected): Float64Array => {
      const out = new Float64Array(values.length);
      positions?.forEach((position, i) => (out[position] = values[i] ?? NaN));
      return out;
    };
    const [y, dx, dweight] = ['y', 'dx', 'dweight'].map((name) => ordered(resultOf(problem, name)));
    const output = inner(y ?? [], fixed.cotangent ?? []);
    expect(inner(dx ?? [], first?.x ?? [])).toBeCloseTo(output, 10);
    expect(inner(dweight ?? [], fixed.weight ?? [])).toBeCloseTo(output, 10);
  });

  it('samples positions of large results, each once', () => {
    const { positions = new Int32Array(), values } = resultOf({ kind: 'matmul', n: 100, form: 'NN' }, 'y');
    expect(values).toHaveLength(4096);
    expect(new Set(positions).size).toBe(4096);
    expect(Math.max(...positions)).toBeLessThan(10_000);
    expect(Math.max(...positions)).toBeGreaterThan(9_900);
  });
});

describe('relativeError', () => {
  it('is relative to the largest magnitude of each result', () => {
    const expected = { a: { values: Float64Array.of(1, -100) }, b: { values: Float64Array.of(2), positions: Int32Array.of(1) } };
    expect(relativeError({ a: [1.5, -100], b: [7, 2] }, expected)).toBeCloseTo(0.005, 12);
    expect(relativeError({ a: [1, -100], b: [2, 2.5] }, expected)).toBeCloseTo(0.25, 12);
    expect(relativeError({ a: [1, NaN], b: [2, 2] }, expected)).toBe(Infinity);
  });

  it('is an error where a result is missing', () => {
    expect(() => relativeError({ a: [1] }, { b: { values: Float64Array.of(1) } })).toThrow('gives no b');
  });
});
