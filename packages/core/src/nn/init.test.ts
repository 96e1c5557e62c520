// Initialisers: moments, bounds and structure of what they draw.
import { expect, test } from 'vitest';
import * as init from './init.ts';
import { Parameter } from './parameter.ts';

const draw = (how: init.Initializer, shape: readonly number[]): number[] => Array.from(how(shape, 'float64')());
const deviation = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

test('deviations and bounds follow fans and gains', () => {
  const shape = [50, 20, 3, 3]; // fanIn 180, fanOut 450
  expect(init.fans(shape)).toEqual({ fanIn: 180, fanOut: 450 });
  const relative = (how: init.Initializer, expected: number) => deviation(draw(how, shape)) / expected;
  expect(relative(init.kaimingNormal({ nonlinearity: 'relu' }), Math.sqrt(2 / 180))).toBeCloseTo(1, 1);
  expect(relative(init.kaimingNormal({ nonlinearity: 'relu', mode: 'fanOut' }), Math.sqrt(2 / 450))).toBeCloseTo(1, 1);
  expect(relative(init.kaimingNormal({ a: 1 }), Math.sqrt(1 / 180))).toBeCloseTo(1, 1);
  expect(relative(init.xavierNormal(2), 2 * Math.sqrt(2 / 630))).toBeCloseTo(1, 1);
  expect(relative(init.normal(0, 0.3), 0.3)).toBeCloseTo(1, 1);
  expect(largest(draw(init.kaimingUniform({ nonlinearity: 'relu' }), shape)) / Math.sqrt(6 / 180)).toBeCloseTo(1, 2);
  expect(largest(draw(init.xavierUniform(), shape)) / Math.sqrt(6 / 630)).toBeCloseTo(1, 2);
  expect(largest(draw(init.fanInUniform(), shape)) / Math.sqrt(1 / 180)).toBeCloseTo(1, 2);
  expect(largest(draw(init.fanInUniform(shape), [500])) / Math.sqrt(1 / 180)).toBeCloseTo(1, 1);
  expect(Math.min(...draw(init.uniform(2, 3), [1000]))).toBeGreaterThanOrEqual(2);
  expect(() => init.fans([3])).toThrow('a weight has at least two axes');
});

test('a truncated normal stays within its bounds and has its own deviation', () => {
  const values = draw(init.truncatedNormal(0, 1, -1, 1), [5000]);
  expect(largest(values)).toBeLessThanOrEqual(1);
  expect(deviation(values)).toBeCloseTo(0.54, 1); // √(1 − 2 φ(1) / (2 Φ(1) − 1)) = 0.5397
  expect(draw(init.truncatedNormal(0.5, 0.01), [2000]).reduce((sum, x) => sum + x / 2000, 0)).toBeCloseTo(0.5, 3);
});

test.each([[4, 9], [9, 4], [6, 2, 3]])('orthogonal %i × %i', (...shape) => {
  const [rows = 0] = shape;
  const columns = shape.slice(1).reduce((a, b) => a * b, 1);
  const q = draw(init.orthogonal(2), shape);
  const short = Math.min(rows, columns);
  const at = (vector: number, k: number): number => (rows <= columns ? q[vector * columns + k] : q[k * columns + vector]) ?? NaN;
  for (let i = 0; i < short; i++) {
    for (let j = 0; j < short; j++) {
      let inner = 0;
      for (let k = 0; k < Math.max(rows, columns); k++) inner += at(i, k) * at(j, k);
      expect(inner).toBeCloseTo(i === j ? 4 : 0, 10);
    }
  }
});

test('constants and dirac', () => {
  expect(draw(init.zeros(), [2])).toEqual([0, 0]);
  expect(draw(init.ones(), [2])).toEqual([1, 1]);
  expect(draw(init.constant(0.5), [1])).toEqual([0.5]);
  expect(draw(init.dirac(), [2, 2, 3])).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
});

test('initialize renews parameters', async () => {
  const weight = new Parameter({ shape: [2, 2] });
  init.initialize(weight, init.constant(3));
  expect(await weight.data()).toEqual(Float32Array.of(3, 3, 3, 3));
  expect(() => init.initialize([], init.zeros())).toThrow('no parameters');
});
