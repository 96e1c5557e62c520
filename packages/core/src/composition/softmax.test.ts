// Soft maxima: values, closed-form gradients of first and second order, extreme inputs, and how small the gradient graph is.
import { expect, test } from 'vitest';
import { reduce } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import { reshape } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { gradient } from '../gradient/gradient.ts';
import { add, mul } from '../gradient/helpers.ts';
import { evaluate, leaf, randomLeaf } from '../testing/evaluate.ts';
import { firstDerivative, gradientError } from '../testing/gradients.ts';
import { logSoftmax, logSumExp, softmax } from './softmax.ts';

const functions: Record<string, (x: Node) => Node> = {
  softmax: (x) => softmax(x, 1),
  logSoftmax: (x) => logSoftmax(x, 1),
  logSumExp: (x) => logSumExp(x, [0, 2]),
};

test.each(Object.entries(functions))('%s: gradient and second derivative', (_, f) => {
  const x = randomLeaf([2, 3, 2], 1, { scale: 2 });
  expect(gradientError({ output: f(x), leaves: [x] })).toBeLessThan(1e-8);
  const first = firstDerivative(mul(f(x), f(x)), [x], (parts) => parts.map((part) => reshape(reduce('sum', mul(part, part), [0, 1, 2]), [])).reduce(add));
  expect(gradientError({ output: first, leaves: [x], step: 1e-4 })).toBeLessThan(1e-6);
});

test('values, also far from zero', () => {
  const x = leaf([1000, 1001, 1002], [1, 3]);
  const powers = [Math.exp(-2), Math.exp(-1), 1];
  const sum = powers.reduce((a, b) => a + b);
  expect(evaluate(softmax(x, 1))).toEqual(powers.map((p) => expect.closeTo(p / sum, 12)));
  expect(evaluate(logSoftmax(x, 1))).toEqual(powers.map((p) => expect.closeTo(Math.log(p / sum), 12)));
  expect(evaluate(logSumExp(x, [1]))).toEqual([expect.closeTo(1002 + Math.log(sum), 9)]);
  expect(evaluate(logSumExp(leaf([-Infinity, -Infinity]), [0]))).toEqual([-Infinity]);
  expect(evaluate(logSumExp(leaf([Infinity, 0]), [0]))).toEqual([Infinity]);
  const half = leaf([-Infinity, 0, 0]);
  expect(gradient(logSumExp(half, [0]), undefined, [half]).map((node) => (node === undefined ? [] : evaluate(node)))).toEqual([[0, 0.5, 0.5]]);
});

test('the gradient of softmax computes one exponential, shared with the forward', () => {
  const x = randomLeaf([4, 8], 2);
  const [dx] = gradient(softmax(x, 1), randomLeaf([4, 8], 3), [x]);
  const ops = canonicalize({ outputs: dx === undefined ? [] : [dx], assignments: [] }).nodes.map(({ op }) => op);
  expect(ops.filter((op) => op === 'exp').length).toBe(1);
  expect(ops.filter((op) => op === 'sum').length).toBe(2);
});
