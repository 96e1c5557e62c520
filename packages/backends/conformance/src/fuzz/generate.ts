// Random problems: a seed gives the same graph every time.
import { elementCount, isFloat } from '@athanor/core/backend';
import { binary } from '../compose.ts';
import type { Problem } from '../problem.ts';
import { menus } from './menu.ts';
import { Pool, type Style } from './pool.ts';

/** A problem of 20–200 nodes, with results and assignments picked from all of them. */
export function randomProblem(seed: number): { readonly style: Style; readonly problem: Problem } {
  const style: Style = seed % 3 === 0 ? 'smooth' : 'exact';
  const pool = new Pool(seed, style);
  const menu = menus[style];
  const total = menu.reduce((sum, [, weight]) => sum + weight, 0);
  pool.leaf(pool.shape(), 'float32');
  const growth = 8 + pool.integer(pool.chance(0.2) ? 90 : 30);
  for (let i = 0; i < growth; i++) {
    let rest = (pool.integer(1e6) / 1e6) * total;
    const entry = menu.find(([, weight]) => (rest -= weight) < 0);
    entry?.[0](pool);
  }
  const outputs = Array.from({ length: 1 + pool.integer(5) }, () => pool.node() ?? pool.float());
  const last = pool.nodes.at(-1);
  if (last !== undefined) outputs.push(last);
  const assignments = pool.variables
    .filter(() => pool.chance(0.7))
    .map((variable) => {
      const value = pool.fit(pool.small(pool.ofDtype(variable.dtype)), variable.shape);
      const kept =
        style === 'smooth' && isFloat(value.dtype) && elementCount(value.shape) > 0 ? binary('min', binary('max', value, -4), 4) : value;
      return { variable, value: kept };
    });
  return { style, problem: { outputs, assignments, initial: pool.initial, runs: assignments.length > 0 ? 2 : 1 } };
}
