// The walk: sums over paths, what has no gradient, custom rules, long chains, and the size of what it builds.
import { expect, test } from 'vitest';
import { apply, cast, reduce } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import { buildContext } from '../graph/create.ts';
import { reshape } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { evaluate, leaf } from '../testing/evaluate.ts';
import { gradient, stopGradient, withGradient } from './gradient.ts';
import { add, mul, scale } from './helpers.ts';

const values = (nodes: readonly (Node | undefined)[]): (number[] | undefined)[] => nodes.map((node) => (node === undefined ? undefined : evaluate(node)));

test('paths add up, targets may lie in the middle, and what does not matter has no gradient', () => {
  const [x, other] = [leaf([3]), leaf([1])];
  const square = mul(x, x);
  const y = add(mul(square, x), square);
  expect(values(gradient(y, undefined, [x, square, other, y]))).toEqual([[3 * 9 + 6], [4], undefined, [1]]);
  expect(values(gradient(y, leaf([10]), [x]))).toEqual([[330]]);
  expect(() => gradient(y, leaf([1, 2]), [x])).toThrow('gradient: the incoming gradient is float64 [2], the output float64 [1]');
});

test('no gradient flows through integers, comparisons, or stopGradient', () => {
  const x = leaf([1.5]);
  const through = (node: Node) => values(gradient(node, undefined, [x]))[0];
  expect(through(cast(cast(x, 'int32'), 'float64'))).toBeUndefined();
  expect(through(cast(apply('lt', x, x), 'float64'))).toBeUndefined();
  expect(through(mul(stopGradient(x), x))).toEqual([1.5]);
  const whole = leaf([1], [1], 'int32');
  expect(gradient(add(whole, whole), undefined, [whole])).toEqual([undefined]);
});

test('a custom rule replaces what it hides, and is differentiated in turn', () => {
  const x = leaf([2]);
  const rounded = withGradient(apply('round', scale(x, 0.7)), [x], (dy) => [dy]);
  expect(values([rounded, ...gradient(mul(rounded, rounded), undefined, [x])])).toEqual([[1], [2]]);
  // x³ with a rule written as a graph: its own derivative comes from the table.
  const cube = withGradient(mul(mul(x, x), x), [x], (dy) => [scale(mul(dy, mul(x, x)), 3)]);
  const [first] = gradient(cube, undefined, [x]);
  expect(values([first, ...(first === undefined ? [] : gradient(first, undefined, [x]))])).toEqual([[12], [12]]);
  const ignored = withGradient(mul(x, x), [x], () => [undefined]);
  expect(gradient(ignored, undefined, [x])).toEqual([undefined]);
  expect(canonicalize({ outputs: [stopGradient(x)], assignments: [] }).nodes).toEqual([x]);
});

test('a reshape does not look through a custom rule', () => {
  const x = leaf([1, 2]);
  const doubled = withGradient(x, [x], (dy) => [scale(dy, 2)]);
  expect(values(gradient(reshape(doubled, [2, 1]), undefined, [x]))).toEqual([[2, 2]]);
  expect(values(gradient(reshape(reshape(doubled, [2, 1]), [2]), undefined, [x]))).toEqual([[2, 2]]);
  expect(values(gradient(reshape(stopGradient(x), [1, 2]), undefined, [x]))).toEqual([undefined]);
});

test('a rule that answers in the wrong shape is caught', () => {
  const x = leaf([2, 3]);
  const wrong = withGradient(apply('exp', x), [x], (dy) => [reduce('sum', dy, [0])]);
  expect(() => gradient(wrong, undefined, [x])).toThrow('the gradient of data is float64 [1], not float64 [2]');
});

test('gradient nodes belong to the module of the node that they pull back', () => {
  const x = leaf([1, 2]);
  buildContext.module = 'layers.0';
  const y = apply('exp', x);
  buildContext.module = '';
  const [dx] = gradient(y, undefined, [x]);
  expect(dx?.module).toBe('layers.0');
  expect(buildContext.module).toBe('');
});

test('a chain of 100,000 operations is differentiated in linear time', { timeout: 30_000 }, () => {
  const x = leaf([0.5], []);
  let y: Node = x;
  for (let i = 0; i < 100_000; i++) y = i % 2 === 0 ? apply('sin', y) : add(y, x);
  const [dx] = gradient(y, undefined, [x]);
  const graph = canonicalize({ outputs: dx === undefined ? [] : [dx], assignments: [] });
  expect(graph.nodes.length).toBeLessThan(500_000);
});

test('forward and backward of shared subgraphs stay linear in size', () => {
  const x = leaf([0.1], []);
  let y: Node = x;
  for (let i = 0; i < 200; i++) y = mul(y, add(y, y));
  const gradients = gradient(y, undefined, [x]).flatMap((node) => node ?? []);
  expect(canonicalize({ outputs: [y, ...gradients], assignments: [] }).nodes.length).toBeLessThan(2000);
});

test('third derivatives', () => {
  const x = leaf([0.3]);
  let y: Node | undefined = apply('tanh', reshape(mul(x, x), [1]));
  for (let i = 0; i < 3 && y !== undefined; i++) [y] = gradient(y, undefined, [x]);
  const f = (at: number) => Math.tanh(at * at);
  const h = 1e-3;
  const numeric = (f(0.3 + 2 * h) - 2 * f(0.3 + h) + 2 * f(0.3 - h) - f(0.3 - 2 * h)) / (2 * h ** 3);
  expect(y === undefined ? NaN : evaluate(y)[0]).toBeCloseTo(numeric, 4);
});
