// The list of cases: no case stands in it twice, and every op of the graph is in it.
import { elementwise, postorder } from '@athanor/core/backend';
import { expect, it } from 'vitest';
import { titleOf } from '../problem.ts';
import { allCases } from './index.ts';

it('names every case differently', () => {
  const titles = allCases().map(titleOf);
  const repeated = titles.filter((title, i) => titles.indexOf(title) !== i);
  expect(repeated).toEqual([]);
});

it('computes every op', { timeout: 60_000 }, () => {
  const special = ['constant', 'data', 'read', 'iota', 'randomBits', 'where', 'cast', 'bitcast', 'sum', 'prod', 'maxReduce', 'minReduce', 'reshape', 'permute', 'expand', 'pad', 'slice', 'flip', 'window', 'gather', 'scatterAdd', 'dot', 'conv', 'sort', 'cumulative', 'eigh', 'cholesky', 'triangularSolve'];
  const used = new Set<string>();
  for (const { build } of allCases()) {
    const { outputs, assignments = [] } = build();
    for (const { op } of postorder([...outputs, ...assignments.map(({ value }) => value)], (node) => node.inputs)) used.add(op);
  }
  expect([...Object.keys(elementwise), ...special].filter((op) => !used.has(op))).toEqual([]);
});
