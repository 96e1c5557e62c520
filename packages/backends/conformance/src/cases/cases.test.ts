// The list of cases: no case stands in it twice, and every op of the graph is in it.
import { elementwise, postorder, type SpecialOp } from '@athanor/core/backend';
import { expect, it } from 'vitest';
import { titleOf } from '../problem.ts';
import { allCases } from './index.ts';

/** Every op that is not elementwise. */
const special: Record<SpecialOp, true> = {
  constant: true,
  data: true,
  read: true,
  iota: true,
  randomBits: true,
  where: true,
  cast: true,
  bitcast: true,
  sum: true,
  prod: true,
  maxReduce: true,
  minReduce: true,
  reshape: true,
  permute: true,
  expand: true,
  pad: true,
  slice: true,
  flip: true,
  window: true,
  gather: true,
  scatterAdd: true,
  dot: true,
  conv: true,
  sort: true,
  cumulative: true,
  eigh: true,
  cholesky: true,
  triangularSolve: true,
  allReduce: true,
};

it('names every case differently', () => {
  const titles = allCases().map(titleOf);
  const repeated = titles.filter((title, i) => titles.indexOf(title) !== i);
  expect(repeated).toEqual([]);
});

it('computes every op', { timeout: 60_000 }, () => {
  const used = new Set<string>();
  for (const { build } of allCases()) {
    const { outputs, assignments = [] } = build();
    for (const { op } of postorder([...outputs, ...assignments.map(({ value }) => value)], (node) => node.inputs)) used.add(op);
  }
  expect([...Object.keys(elementwise), ...Object.keys(special)].filter((op) => !used.has(op))).toEqual([]);
});
