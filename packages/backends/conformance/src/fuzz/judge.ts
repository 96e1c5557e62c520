// Whether a backend computed a random graph rightly: to the bit where the graph is exact, else within its sensitivity.
import {
  build,
  canonicalize,
  elementCount,
  interpretAll,
  isFloat,
  derive,
  type Backend,
  type CanonicalGraph,
  type Node,
} from '@athanor/core/backend';
import type { Problem } from '../problem.ts';
import { exact } from '../problem.ts';
import { check, hostValues, resultsOf } from '../run.ts';
import { randomSource } from '../values.ts';
import type { Style } from './pool.ts';

/** skipped: the graph's numbers are too large to be judged. */
export type Verdict = { readonly kind: 'right' } | { readonly kind: 'skipped' } | { readonly kind: 'wrong'; readonly text: string };

const right: Verdict = { kind: 'right' };
const skipped: Verdict = { kind: 'skipped' };

export async function judge(backend: Backend, problem: Problem, style: Style): Promise<Verdict> {
  try {
    return style === 'exact' ? await judgeExact(backend, problem) : await judgeSmooth(backend, problem);
  } catch (error) {
    return { kind: 'wrong', text: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

async function judgeExact(backend: Backend, problem: Problem): Promise<Verdict> {
  const graph = canonicalize({ outputs: problem.outputs, assignments: problem.assignments ?? [] });
  if (!isExact(graph, problem)) return skipped;
  const found = await check(backend, problem, exact);
  return found.length === 0 ? right : { kind: 'wrong', text: found.join('; ') };
}

/** Multiples of 1/16 below this are exact in float32, and so are their sums in any order. */
const largest = 2 ** 19;

/** All float values, and all partial sums, are small multiples of 1/16. */
function isExact(graph: CanonicalGraph, problem: Problem): boolean {
  const values = interpretAll(
    { ...graph, outputs: graph.nodes, assignments: [] },
    graph.inputs.map(hostValues),
    initialValues(graph, problem),
  ).outputs;
  const size = new Map(graph.nodes.map((node, i) => [node, magnitude(values[i] ?? new Float64Array(0))]));
  return graph.nodes.every((node, i) => {
    if (!isFloat(node.dtype)) return true;
    const whole = (values[i] ?? new Float64Array(0)).every((x) => Number.isInteger(x * 16));
    const inputs = node.inputs.map((input) => size.get(input) ?? 0);
    return whole && Math.max(size.get(node) ?? 0, partialSums(node, inputs)) < largest;
  });
}

const magnitude = (values: Float64Array): number =>
  values.reduce((most, x) => Math.max(most, Number.isFinite(x) ? Math.abs(x) : Infinity), 0);

/** The largest that a sum inside an operation can grow, from its operands' sizes. */
function partialSums(node: Node, [a = 0, b = 0, c = 0]: readonly number[]): number {
  const elements = (i: number): number => elementCount(node.inputs[i]?.shape ?? []);
  switch (node.op) {
    case 'sum':
      return (elements(0) / Math.max(1, elementCount(node.shape))) * a;
    case 'dot':
      return elementCount(node.attributes.contract.map(([axis]) => node.inputs[0]?.shape[axis] ?? 1)) * a * b;
    case 'conv':
      return elementCount(node.inputs[1]?.shape.slice(2) ?? []) * a * b;
    case 'scatterAdd':
      return a + elements(1) * c;
    case 'cumulative':
      return (node.inputs[0]?.shape[node.attributes.axis] ?? 1) * a;
    case 'prod':
      return a ** (elements(0) / Math.max(1, elementCount(node.shape)));
    default:
      return 0;
  }
}

function initialValues(graph: CanonicalGraph, problem: Problem): ArrayLike<number>[] {
  return graph.variables.map((variable) => problem.initial?.get(variable) ?? []);
}

/** One run, against the spread of results that rounding noise at every node makes in the reference. */
async function judgeSmooth(backend: Backend, problem: Problem): Promise<Verdict> {
  const graph = canonicalize({ outputs: problem.outputs, assignments: problem.assignments ?? [] });
  const want = valuesOf(graph, problem);
  if (want.some((values) => magnitude(values) > 1e6 || values.some(Number.isNaN))) return skipped;
  const spread = want.map(() => 0);
  for (let turn = 0; turn < 3; turn++) {
    valuesOf(noisy(graph, turn), problem).forEach((values, i) =>
      values.forEach((x, j) => (spread[i] = Math.max(spread[i] ?? 0, Math.abs(x - (want[i]?.[j] ?? 0))))),
    );
  }
  if (spread.some((size, i) => !(size < 0.01 * (magnitude(want[i] ?? new Float64Array(0)) + 1)))) return skipped;
  const results = await resultsOf(backend, { ...problem, runs: 1 });
  const assigned = graph.assignments.map(({ variable }) => results[graph.outputs.length + graph.variables.indexOf(variable)]);
  const got = [...results.slice(0, graph.outputs.length), ...assigned];
  const wrong = want.flatMap((values, i) => {
    const allowed = 32 * (spread[i] ?? 0) + 2 ** -19 * magnitude(values);
    const at = values.findIndex((x, j) => !(Math.abs((got[i]?.[j] ?? NaN) - x) <= allowed));
    return at < 0 ? [] : [`result ${i}: element ${at} is ${got[i]?.[at]}, not ${values[at]} ± ${allowed}`];
  });
  return wrong.length === 0 ? right : { kind: 'wrong', text: wrong.join('; ') };
}

/** Outputs and then assigned values. */
function valuesOf(graph: CanonicalGraph, problem: Problem): Float64Array[] {
  const { outputs, assignments } = interpretAll(graph, graph.inputs.map(hostValues), initialValues(graph, problem));
  return [...outputs, ...assignments];
}

/** The graph with relative noise of about one unit in the last place on every float value: leaves too, for the sums that start from them. */
function noisy(graph: CanonicalGraph, turn: number): CanonicalGraph {
  const next = randomSource(turn + 1);
  const copies = new Map<Node, Node>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => copies.get(input) ?? input);
    const copy = inputs.length === 0 ? node : derive(node, node.op, inputs, node.attributes, node.shape, node.dtype);
    copies.set(node, isFloat(node.dtype) ? build.apply('mul', copy, noise(node, next)) : copy);
  }
  const of = (node: Node): Node => copies.get(node) ?? node;
  return canonicalize({
    outputs: graph.outputs.map(of),
    assignments: graph.assignments.map(({ variable, value }) => ({ variable, value: of(value) })),
  });
}

function noise(node: Node, next: () => number): Node {
  const values = Float64Array.from(
    { length: elementCount(node.shape) },
    () => 1 + (next() - 0.5) * 2 ** (node.dtype === 'float64' ? -50 : -21),
  );
  return build.data(values, node.shape, node.dtype);
}
