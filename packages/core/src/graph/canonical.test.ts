// Canonical graphs: merging, simplification, dead code, numbering, hashes, and long chains.
import { expect, test } from 'vitest';
import { apply, cast, constant, data, read, reduce, where } from './build.ts';
import { canonicalize } from './canonical.ts';
import { buildContext } from './create.ts';
import { expand, flip, pad, permute, reshape, slice } from './move.ts';
import type { Node, VariableSlot } from './node.ts';

const leaf = (shape: readonly number[] = [2, 3]): Node => data(undefined, shape, 'float32');
const fill = (value: number, shape: readonly number[], dtype: Node['dtype'] = 'float32'): Node =>
  expand(reshape(constant(value, dtype), shape.map(() => 1)), shape);
const canonical = (...outputs: Node[]) => canonicalize({ outputs, assignments: [] });
const ops = (...outputs: Node[]): string[] => canonical(...outputs).nodes.map((node) => node.op);

test('equal nodes become one, also through commuted operands', () => {
  const [x, y] = [leaf(), leaf()];
  const graph = canonical(apply('add', apply('exp', x), y), apply('add', y, apply('exp', x)));
  expect(graph.nodes.map((node) => node.op)).toEqual(['data', 'exp', 'data', 'add']);
  expect(graph.outputs[0]).toBe(graph.outputs[1]);
  expect(ops(apply('sub', x, y), apply('sub', y, x))).toEqual(['data', 'data', 'sub', 'sub']);
});

test('different leaves, attributes, dtypes and signed zeros stay apart', () => {
  expect(ops(apply('add', leaf(), leaf()))).toEqual(['data', 'data', 'add']);
  const x = leaf();
  expect(ops(reduce('sum', x, [0]), reduce('sum', x, [1]))).toEqual(['data', 'sum', 'sum']);
  expect(ops(constant(0, 'float32'), constant(0, 'float64'), constant(-0, 'float32'))).toEqual(['constant', 'constant', 'constant']);
  expect(ops(pad(x, [[1, 0], [0, 0]], 0), pad(x, [[1, 0], [0, 0]], -0))).toEqual(['data', 'pad', 'pad']);
});

test('checkpoint regions are never merged, their leaves and constants are', () => {
  const x = leaf();
  const first = apply('mul', apply('exp', x), fill(3, [2, 3]));
  buildContext.region = 7;
  const second = apply('mul', apply('exp', x), fill(3, [2, 3]));
  buildContext.region = 0;
  expect(ops(first, second)).toEqual(['data', 'exp', 'constant', 'reshape', 'expand', 'mul', 'exp', 'mul']);
});

test('neutral elements vanish', () => {
  const x = leaf();
  const [zero, one] = [fill(0, [2, 3]), fill(1, [2, 3])];
  for (const same of [
    apply('add', x, zero),
    apply('add', zero, x),
    apply('sub', x, zero),
    apply('mul', x, one),
    apply('mul', one, x),
    apply('div', x, one),
    apply('pow', x, one),
    apply('neg', apply('neg', x)),
    where(fill(1, [2, 3], 'bool'), x, leaf()),
    where(data(undefined, [2, 3], 'bool'), x, x),
  ]) {
    expect(ops(same)).toEqual(['data']);
  }
  expect(ops(apply('mul', x, zero))).toContain('mul');
  expect(ops(apply('mul', cast(x, 'int32'), fill(0, [2, 3], 'int32')))).toEqual(['constant', 'reshape', 'expand']);
  expect(ops(apply('pow', x, fill(2, [2, 3])))).toEqual(['data', 'mul']);
});

test('constants fold where the arithmetic is exact, and move to expand(reshape(constant))', () => {
  const [folded] = canonical(apply('add', fill(0.1, [2, 3]), fill(0.2, [2, 3]))).nodes;
  expect(folded).toMatchObject({ op: 'constant', attributes: { value: Math.fround(Math.fround(0.1) + Math.fround(0.2)) } });
  expect(ops(apply('exp', fill(2, [3])))).toContain('exp');
  expect(ops(permute(slice(flip(reshape(fill(5, [4, 3]), [2, 6]), [1]), [0, 0], [1, 4], [1, 2]), [1, 0]))).toEqual(['constant', 'reshape', 'expand']);
  expect(ops(pad(fill(5, [2]), [[1, 1]], 5))).toEqual(['constant', 'reshape', 'expand']);
  expect(ops(pad(fill(5, [2]), [[1, 1]], 0))).toContain('pad');
  expect(canonical(cast(constant(-3.7, 'float32'), 'uint8')).nodes[0]).toMatchObject({ op: 'constant', dtype: 'uint8', attributes: { value: 0 } });
  expect(canonical(apply('mul', constant(65537, 'int32'), constant(65537, 'int32'))).nodes[0]).toMatchObject({ attributes: { value: 131073 } });
  expect(canonical(reshape(fill(1, [1]), [])).nodes.map((node) => node.op)).toEqual(['constant']);
});

test('movements of the same kind compose', () => {
  const x = leaf([2, 3, 4]);
  expect(ops(permute(permute(x, [2, 0, 1]), [1, 2, 0]))).toEqual(['data']);
  const turned = canonical(permute(permute(x, [2, 0, 1]), [2, 0, 1]));
  expect(turned.nodes[1]).toMatchObject({ op: 'permute', attributes: { order: [1, 2, 0] }, inputs: [{ op: 'data' }] });
  expect(ops(reshape(apply('neg', apply('neg', reshape(x, [6, 4]))), [24]))).toEqual(['data', 'reshape']);
  expect(ops(reshape(apply('neg', apply('neg', reshape(x, [6, 4]))), [2, 3, 4]))).toEqual(['data']);
  expect(ops(expand(expand(leaf([1, 1]), [2, 1]), [2, 3]))).toEqual(['data', 'expand']);
  expect(ops(flip(flip(x, [0, 2]), [0, 2]))).toEqual(['data']);
});

test('dead nodes go, leaves and variables are numbered by first use', () => {
  const slot = (id: number): VariableSlot => ({ id, name: `v${id}`, shape: [2, 3], dtype: 'float32' });
  const [a, b, c] = [slot(5), slot(3), slot(9)];
  const [x, y, unused] = [leaf(), leaf(), leaf()];
  apply('exp', unused);
  const sum = apply('add', apply('add', y, read(b, 4)), x);
  const graph = canonicalize({ outputs: [sum], assignments: [{ variable: c, value: sum }, { variable: a, value: read(a, 0) }] });
  expect(graph.inputs).toEqual([y, x]);
  expect(graph.variables.map(({ name }) => name)).toEqual(['v3', 'v5', 'v9']);
  expect(graph.assignments[0]?.value).toBe(graph.outputs[0]);
});

test('the hash sees structure and nothing else', () => {
  const build = (change: { shape?: number[]; axis?: number; swap?: boolean; scale?: number; again?: boolean } = {}): string => {
    const x = leaf(change.shape ?? [2, 3]);
    const y = leaf(change.shape ?? [2, 3]);
    const difference = change.swap ? apply('sub', y, x) : apply('sub', x, y);
    const scaled = apply('mul', difference, fill(change.scale ?? 2, x.shape));
    return canonical(reduce('sum', scaled, [change.axis ?? 0]), change.again ? scaled : difference).hash;
  };
  expect(build()).toBe(build());
  const others = [build({ shape: [3, 3] }), build({ axis: 1 }), build({ scale: 3 }), build({ again: true })];
  expect(new Set([build(), ...others]).size).toBe(5);
  // Swapped operands only renumber the leaves.
  expect(build({ swap: true })).toBe(build());
});

test('two versions of a variable in one graph are a broken promise', () => {
  const variable: VariableSlot = { id: 1, name: 'weight', shape: [], dtype: 'float32' };
  expect(() => canonical(apply('add', read(variable, 0), read(variable, 1)))).toThrow('one graph reads versions 0 and 1 of weight');
});

test('a chain of 100,000 operations and a wide shared graph need no recursion and linear time', { timeout: 30_000 }, () => {
  const x = leaf([]);
  let chain: Node = x;
  for (let i = 0; i < 100_000; i++) chain = i % 2 === 0 ? apply('sin', chain) : apply('add', chain, x);
  expect(canonical(chain).nodes.length).toBe(100_001);
  let diamond: Node = leaf([]);
  for (let i = 0; i < 1000; i++) diamond = apply('add', apply('sin', diamond), apply('cos', diamond));
  expect(canonical(diamond).nodes.length).toBe(3001);
});
