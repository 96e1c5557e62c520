// What programs cost, against numbers counted by hand.
import { expect, it } from 'vitest';
import { apply, reduce } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import { dot } from '../graph/combine.ts';
import { expand } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { randomLeaf } from '../testing/evaluate.ts';
import { programCost } from './cost.ts';
import { schedule } from './schedule.ts';

const limits = { buffersPerKernel: 32, storesPerKernel: 16, elements: 2 ** 31, dtypes: ['float32'] as const };
const leaf = (shape: number[], seed: number): Node => randomLeaf(shape, seed, { dtype: 'float32' });
const product = (x: Node, y: Node): Node => dot(x, y, { batch: [], contract: [[1, 0]], combine: 'multiply-add' });
const costOf = (outputs: Node[]) => programCost(schedule(canonicalize({ outputs, assignments: [] }), limits));

it('counts arithmetic, traffic and memory of a chain of products', () => {
  const [a, b, c] = [leaf([64, 100], 1), leaf([100, 32], 2), leaf([32, 16], 3)] as const;
  const cost = costOf([product(product(a, b), c)]);
  expect(cost.commands.map(({ kind }) => kind)).toEqual(['contract', 'contract']);
  expect(cost.flops).toBe(2 * 64 * 100 * 32 + 2 * 64 * 32 * 16);
  expect(cost.bytesRead).toBe(4 * (64 * 100 + 100 * 32 + 64 * 32 + 32 * 16));
  expect(cost.bytesWritten).toBe(4 * (64 * 32 + 64 * 16));
  expect(cost.liveBytes).toBe(4 * 64 * 32);
  expect(cost.arenaBytes).toBe(4 * 64 * 32);
  expect(cost.inputBytes).toBe(4 * (64 * 100 + 100 * 32 + 32 * 16));
  expect(cost.outputBytes).toBe(4 * 64 * 16);
  expect(cost.peakBytes).toBe(cost.arenaBytes + cost.inputBytes + cost.outputBytes);
});

it('counts what is alive at the same time, not what ever was', () => {
  let x = leaf([50, 50], 4);
  const weight = leaf([50, 50], 5);
  for (let i = 0; i < 10; i++) x = product(x, weight);
  // Of nine intermediate products at most two are needed at once.
  expect(costOf([x]).liveBytes).toBe(2 * 4 * 2500);
});

it('no plan takes less than what is alive', () => {
  const x = leaf([40, 30], 6);
  const e = apply('exp', product(x, leaf([30, 20], 7)));
  const scaled = apply('div', e, expand(reduce('sum', e, [1]), [40, 20]));
  const { arenaBytes, liveBytes } = costOf([reduce('sum', product(scaled, leaf([20, 60], 8)), [0])]);
  expect(liveBytes).toBeGreaterThan(0);
  expect(arenaBytes).toBeGreaterThanOrEqual(liveBytes);
});
