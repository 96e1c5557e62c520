// Makes a failing problem small: fewer results, operands instead of results, leaves instead of what computes them.
import { arrayOf, build, canonicalize, derive, elementCount, interpretAll, postorder, type Node } from '@athanor/core/backend';
import type { Problem } from '../problem.ts';
import { hostValues } from '../run.ts';

/** Whether a smaller problem still fails. */
export type Fails = (problem: Problem) => Promise<boolean>;

/** The smallest failing problem that single steps lead to. */
export async function shrink(problem: Problem, fails: Fails): Promise<Problem> {
  let best = problem;
  for (;;) {
    const smaller = await firstFailing(candidates(best), fails);
    if (smaller === undefined) return best;
    best = smaller;
  }
}

async function firstFailing(problems: Iterable<Problem>, fails: Fails): Promise<Problem | undefined> {
  for (const problem of problems) if (await fails(problem)) return problem;
  return undefined;
}

/** Smaller problems, the boldest first. */
function* candidates(problem: Problem): Generator<Problem> {
  const { outputs, assignments = [] } = problem;
  if ((problem.runs ?? 1) > 1) yield { ...problem, runs: 1 };
  for (const output of outputs) if (outputs.length + assignments.length > 1) yield { ...problem, outputs: [output], assignments: [] };
  for (const assignment of assignments)
    if (outputs.length + assignments.length > 1) yield { ...problem, outputs: [], assignments: [assignment] };
  for (const [i] of outputs.entries()) if (outputs.length > 1) yield { ...problem, outputs: outputs.filter((_, j) => j !== i) };
  for (const [i] of assignments.entries())
    if (assignments.length + outputs.length > 1) yield { ...problem, assignments: assignments.filter((_, j) => j !== i) };
  for (const [i, output] of outputs.entries()) {
    for (const input of output.inputs) yield { ...problem, outputs: outputs.map((other, j) => (i === j ? input : other)) };
  }
  yield* withLeaves(problem);
}

/** One computed node replaced by a leaf that holds its value: first what many nodes stand behind. */
function* withLeaves(problem: Problem): Generator<Problem> {
  const { outputs, assignments = [] } = problem;
  const nodes = postorder([...outputs, ...assignments.map(({ value }) => value)], (node) => node.inputs);
  const values = valuesOfAll(problem, nodes);
  const computed = nodes.filter((node) => node.inputs.length > 0 || node.op === 'read' || node.op === 'iota');
  for (const node of computed.reverse()) {
    const exactly = values.get(node);
    if (exactly === undefined || outputs.includes(node)) continue;
    const data = arrayOf(node.dtype, exactly.length);
    data.set(exactly);
    yield replaced(problem, nodes, node, build.data(data, node.shape, node.dtype));
  }
}

function valuesOfAll(problem: Problem, nodes: readonly Node[]): Map<Node, Float64Array> {
  const graph = canonicalize({ outputs: nodes, assignments: [] });
  const initial = graph.variables.map((variable) => problem.initial?.get(variable) ?? new Float64Array(elementCount(variable.shape)));
  const { outputs } = interpretAll(graph, graph.inputs.map(hostValues), initial);
  return new Map(nodes.map((node, i) => [node, outputs[i] ?? new Float64Array(0)]));
}

function replaced(problem: Problem, nodes: readonly Node[], old: Node, by: Node): Problem {
  const copies = new Map<Node, Node>([[old, by]]);
  const of = (node: Node): Node => copies.get(node) ?? node;
  for (const node of nodes) {
    if (copies.has(node)) continue;
    const inputs = node.inputs.map(of);
    if (inputs.some((input, i) => input !== node.inputs[i]))
      copies.set(node, derive(node, node.op, inputs, node.attributes, node.shape, node.dtype));
  }
  const { outputs, assignments = [] } = problem;
  return { ...problem, outputs: outputs.map(of), assignments: assignments.map(({ variable, value }) => ({ variable, value: of(value) })) };
}
