// erfinv: it undoes erf in both dtypes, to their precision; ends and what lies beyond; second derivative.
import { expect, test } from 'vitest';
import { reduce } from '../graph/build.ts';
import { reshape } from '../graph/move.ts';
import { mul } from '../gradient/helpers.ts';
import { erf } from '../kernel/scalar.ts';
import { evaluate, leaf, randomLeaf } from '../testing/evaluate.ts';
import { firstDerivative, gradientError } from '../testing/gradients.ts';
import { erfinv } from './erfinv.ts';

const places = [-3.9, -2.7, -1.5, -0.3, -1e-3, 0, 1e-6, 0.02, 0.7, 1.2, 2.2, 3.1];

test.each([['float64', 1e-12], ['float32', 4e-7]] as const)('erf(erfinv(x)) = x in %s', (dtype, tolerance) => {
  const x = places.map(erf).map(dtype === 'float32' ? Math.fround : Number);
  const y = evaluate(erfinv(leaf(x, [x.length], dtype)));
  x.forEach((value, i) => expect(Math.abs(erf(y[i] ?? NaN) - value)).toBeLessThanOrEqual(tolerance * Math.max(1e-9, Math.abs(value))));
});

test('ends, and outside', () => {
  expect(evaluate(erfinv(leaf([-1, 1, 0, 1.5, NaN])))).toEqual([-Infinity, Infinity, 0, NaN, NaN]);
  expect(evaluate(erfinv(leaf([-1, 1, 0, 1.5], [4], 'float32')))).toEqual([-Infinity, Infinity, 0, NaN]);
});

test('gradient and second derivative', () => {
  const x = randomLeaf([7], 3, { scale: 0.9 });
  expect(gradientError({ output: erfinv(x), leaves: [x] })).toBeLessThan(1e-8);
  const first = firstDerivative(mul(erfinv(x), erfinv(x)), [x], ([part = x]) => reshape(reduce('sum', mul(part, part), [0]), []));
  expect(gradientError({ output: first, leaves: [x] })).toBeLessThan(1e-6);
});
