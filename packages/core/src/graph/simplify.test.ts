// Simplification and merging keep values: random graphs computed with and without them, bit by bit but for signs of zeros.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFloat, type Dtype } from '../dtype.ts';
import { interpret } from '../reference/interpret.ts';
import { elementCount } from '../shape.ts';
import { leaf } from '../testing/evaluate.ts';
import { apply, cast, constant, reduce, where } from './build.ts';
import { canonicalize } from './canonical.ts';
import type { BinaryOp, UnaryOp } from './elementwise.ts';
import { expand, flip, pad, permute, reshape, slice, window } from './move.ts';
import type { Node } from './node.ts';
import { postorder } from './order.ts';

const dtypes: readonly Dtype[] = ['float64', 'int32', 'int8', 'uint8', 'bool'];
const shapes = [[], [3], [2, 3], [1, 2, 3]];
const binaries = (dtype: Dtype): BinaryOp[] => {
  if (isFloat(dtype)) return ['add', 'sub', 'mul', 'div', 'pow', 'max', 'min'];
  return dtype === 'bool' ? ['and', 'or', 'xor', 'max', 'min'] : ['add', 'sub', 'mul', 'floorDivide', 'mod', 'max', 'min', 'and', 'or', 'xor', 'shl', 'shr', 'ushr'];
};
const unaries = (dtype: Dtype): UnaryOp[] => (isFloat(dtype) ? ['neg', 'abs', 'floor', 'sign'] : dtype === 'bool' ? ['not'] : ['neg', 'abs', 'not', 'popcount']);

function fill(value: number, shape: readonly number[], dtype: Dtype): Node {
  return expand(reshape(constant(value, dtype), shape.map(() => 1)), shape);
}

/** A stream of choices, so that fast-check can shrink a graph by shrinking numbers. */
class Choices {
  private at = 0;
  private readonly numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }

  below(count: number): number {
    return (this.numbers[this.at++ % this.numbers.length] ?? 0) % count;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Another node in the dtype and shape of x: an earlier one, or a constant, often 0, 1 or 2. */
function partner(x: Node, nodes: readonly Node[], choose: Choices): Node {
  const alike = nodes.filter(({ shape, dtype }) => dtype === x.dtype && shape.join() === x.shape.join());
  return choose.below(2) === 0 ? fill(choose.of([0, 1, 2, -1, 0.5, 100]), x.shape, x.dtype) : choose.of(alike);
}

function moved(x: Node, choose: Choices): Node {
  const axes = [...x.shape.keys()];
  switch (choose.below(7)) {
    case 0:
      return reshape(x, choose.of([[elementCount(x.shape)], [1, ...x.shape], x.shape]));
    case 1:
      return permute(x, axes.toReversed());
    case 2:
      return expand(reshape(x, [1, ...x.shape]), [2, ...x.shape]);
    case 3:
      return flip(x, axes.slice(choose.below(2)));
    case 4:
      return slice(x, axes.map(() => 0), x.shape.map((size) => Math.max(1, size - 1)), axes.map(() => 1 + choose.below(2)));
    case 5:
      return pad(x, axes.map(() => [choose.below(2), 1]), choose.of([0, 1]));
    default:
      return x.shape.length === 0 ? x : window(x, 0, { size: 1 });
  }
}

function grow(nodes: readonly Node[], choose: Choices): Node {
  const x = choose.of(nodes);
  switch (choose.below(6)) {
    case 0:
      return apply(choose.of(unaries(x.dtype)), x);
    case 1: {
      const y = partner(x, nodes, choose);
      return choose.below(2) === 0 ? apply(choose.of(binaries(x.dtype)), x, y) : apply(choose.of(binaries(x.dtype)), y, x);
    }
    case 2:
      return cast(x, choose.of(dtypes));
    case 3: {
      const condition = choose.below(2) === 0 ? fill(choose.below(2), x.shape, 'bool') : apply('lt', x, partner(x, nodes, choose));
      return where(condition, x, partner(x, nodes, choose));
    }
    case 4:
      return x.dtype === 'bool' || x.shape.length === 0 ? x : reduce('sum', x, [choose.below(x.shape.length)]);
    default:
      return elementCount(x.shape) > 200 || x.shape.length > 5 ? x : moved(x, choose);
  }
}

test('random graphs have the same values in canonical form', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e6), { minLength: 5, maxLength: 150 }), (numbers) => {
      const choose = new Choices(numbers);
      const values = [-3, 0, 1, 2, 5, 100];
      const nodes: Node[] = dtypes.map((dtype) => {
        const shape = choose.of(shapes);
        const data = Array.from({ length: elementCount(shape) }, () => choose.of(values));
        return leaf(dtype === 'bool' ? data.map((x) => x & 1) : data, shape, dtype);
      });
      for (let i = 0; i < numbers.length / 4; i++) nodes.push(grow(nodes, choose));
      const outputs = nodes.slice(-6);
      const plain = postorder(outputs);
      const inputs = plain.filter(({ op }) => op === 'data');
      const data = (list: readonly Node[]) => list.map((node) => (node.op === 'data' ? (node.attributes.leaf.data ?? []) : []));
      const expected = interpret({ outputs, assignments: [], nodes: plain, inputs, variables: [], hash: '' }, data(inputs));
      const graph = canonicalize({ outputs, assignments: [] });
      const actual = interpret(graph, data(graph.inputs));
      const unsigned = (arrays: readonly Float64Array[]) => arrays.map((array) => Array.from(array, (x) => (x === 0 ? 0 : x)));
      expect(unsigned(actual)).toEqual(unsigned(expected));
      expect(graph.nodes.length).toBeLessThanOrEqual(plain.length);
      // A canonical graph is its own canonical form.
      expect(canonicalize(graph).hash).toBe(graph.hash);
    }),
    { numRuns: 600, seed: 11 },
  );
});
