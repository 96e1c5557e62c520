// For tests: gradients against central finite differences in float64.
import { gradient } from '../gradient/gradient.ts';
import { canonicalize } from '../graph/canonical.ts';
import type { Node } from '../graph/node.ts';
import { interpret } from '../reference/interpret.ts';
import { elementCount } from '../shape.ts';
import { randomLeaf, randomNumbers } from './evaluate.ts';

function valuesOf(leaf: Node): Float64Array {
  return Float64Array.from(leaf.op === 'data' ? (leaf.attributes.leaf.data ?? []) : []);
}

/** A function of the values of leaves, canonicalised once. */
function evaluatorOf(nodes: readonly Node[], leaves: readonly Node[]): (values: readonly Float64Array[]) => Float64Array[] {
  const graph = canonicalize({ outputs: nodes, assignments: [] });
  return (values) =>
    interpret(
      graph,
      graph.inputs.map((input) => values[leaves.indexOf(input)] ?? valuesOf(input)),
    );
}

export interface GradientCheck {
  readonly output: Node;
  /** `data` leaves with values. */
  readonly leaves: readonly Node[];
  /** Steps of the finite differences. */
  readonly step?: number;
}

/**
 * The largest difference between the gradient and finite differences of Σ weights · output, relative to
 * max(1, largest gradient), over all elements of all leaves. Weights are random.
 */
export function gradientError({ output, leaves, step = 1e-5 }: GradientCheck): number {
  const weights = randomLeaf(output.shape, 991, { dtype: output.dtype, shift: 0.1 });
  const gradients = gradient(output, weights, leaves);
  const present = gradients.flatMap((node) => (node === undefined ? [] : [node]));
  const start = leaves.map(valuesOf);
  const computed = evaluatorOf(present, leaves)(start);
  const evaluate = evaluatorOf([output], leaves);
  const weighted = (values: readonly Float64Array[]): number => {
    const [y = new Float64Array(0)] = evaluate(values);
    return y.reduce((sum, value, i) => sum + value * (valuesOf(weights)[i] ?? 0), 0);
  };
  let [worst, largest, position] = [0, 1, 0];
  leaves.forEach((_, which) => {
    const exact = gradients[which] === undefined ? new Float64Array(start[which]?.length ?? 0) : (computed[position++] ?? new Float64Array(0));
    exact.forEach((value, i) => {
      const at = (shift: number): number => weighted(start.map((values, other) => (other === which ? values.with(i, (values[i] ?? 0) + shift) : values)));
      const numeric = (at(step) - at(-step)) / (2 * step);
      const difference = Math.abs(numeric - value);
      worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
      largest = Math.max(largest, Math.abs(numeric));
    });
  });
  return worst / largest;
}

/** The first derivative as a value to differentiate once more: all leaves' gradients, weighted and summed. */
export function firstDerivative(output: Node, leaves: readonly Node[], combine: (gradients: readonly Node[]) => Node): Node {
  const weights = randomLeaf(output.shape, 311, { dtype: output.dtype });
  return combine(gradient(output, weights, leaves).flatMap((node) => (node === undefined ? [] : [node])));
}

/** A leaf whose neighbouring values differ by at least 2 / count: no ties within a finite-difference step. */
export function distinctLeaf(shape: readonly number[], seed: number, options: { dtype?: Node['dtype'] } = {}): Node {
  const count = elementCount(shape);
  const keys = randomNumbers(count, seed);
  const order = [...keys.keys()].sort((i, j) => (keys[i] ?? 0) - (keys[j] ?? 0));
  const leaf = randomLeaf(shape, seed, options);
  const values = leaf.op === 'data' ? leaf.attributes.leaf.data : undefined;
  order.forEach((at, rank) => {
    if (values !== undefined) values[at] = (2 * rank) / count - 1;
  });
  return leaf;
}
