// For tests: values of graphs through the interpreter, and seeded data.
import { arrayOf, type Dtype } from '../dtype.ts';
import { data } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import type { Node } from '../graph/node.ts';
import { threefry2x32 } from '../random/threefry.ts';
import { interpret } from '../reference/interpret.ts';
import { elementCount, type Shape } from '../shape.ts';

/** The values of graphs whose leaves hold their data; some leaves' data may be replaced. */
export function evaluateAll(nodes: readonly Node[], replaced: ReadonlyMap<Node, ArrayLike<number>> = new Map()): Float64Array[] {
  const graph = canonicalize({ outputs: nodes, assignments: [] });
  const inputs = graph.inputs.map((node) => replaced.get(node) ?? (node.op === 'data' ? node.attributes.leaf.data : undefined) ?? []);
  return interpret(graph, inputs);
}

/** The values of one graph. */
export function evaluate(node: Node): number[] {
  return Array.from(evaluateAll([node])[0] ?? []);
}

/** A leaf that holds these values. */
export function leaf(values: readonly number[], shape: Shape = [values.length], dtype: Dtype = 'float64'): Node {
  const array = arrayOf(dtype, values.length);
  array.set(values);
  return data(array, shape, dtype);
}

/** Numbers in [−1, 1), the same for the same seed. */
export function randomNumbers(count: number, seed: number): number[] {
  const block = new Uint32Array(2);
  return Array.from({ length: count }, (_, i) => {
    threefry2x32(seed, 77, i, 0, block);
    return (block[0] ?? 0) / 2 ** 31 - 1;
  });
}

/** A leaf of numbers in [−scale, scale). */
export function randomLeaf(shape: Shape, seed: number, options: { dtype?: Dtype; scale?: number; shift?: number } = {}): Node {
  const { dtype = 'float64', scale = 1, shift = 0 } = options;
  return leaf(randomNumbers(elementCount(shape), seed).map((x) => x * scale + shift), shape, dtype);
}
