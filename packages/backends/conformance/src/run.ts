// Runs a problem on a backend and holds every result against the float64 reference.
import {
  UserError,
  bytesOf,
  canonicalize,
  elementCount,
  formatShape,
  interpretAll,
  verify,
  type Backend,
  type CanonicalGraph,
  type Dtype,
  type Memory,
  type Node,
  type Shape,
  type TypedArray,
} from '@athanor/core/backend';
import { compare } from './compare.ts';
import type { Problem, Tolerance } from './problem.ts';

/** What went wrong, one line each; empty when the backend is right. */
export async function check(backend: Backend, problem: Problem, tolerance: Tolerance): Promise<string[]> {
  const graph = canonicalize({ outputs: problem.outputs, assignments: problem.assignments ?? [] });
  const run = new Run(backend, graph, problem);
  try {
    return await run.check(tolerance);
  } finally {
    run.free();
  }
}

class Run {
  readonly #backend: Backend;
  readonly #graph: CanonicalGraph;
  readonly #problem: Problem;
  readonly #outputs: Memory[];
  readonly #variables: Memory[];

  constructor(backend: Backend, graph: CanonicalGraph, problem: Problem) {
    this.#backend = backend;
    this.#graph = graph;
    this.#problem = problem;
    this.#outputs = graph.outputs.map((node) => backend.allocate(sizeOf(node)));
    this.#variables = graph.variables.map((variable) => backend.allocate(sizeOf(variable)));
  }

  async check(tolerance: Tolerance): Promise<string[]> {
    const backend = this.#backend;
    const graph = this.#graph;
    const { initial, runs = 1, outOfRange = false } = this.#problem;
    const inputs = graph.inputs.map(hostValues);
    let before = graph.variables.map((variable) => {
      const values = initial?.get(variable);
      if (values === undefined) throw new Error(`Variable ${variable.name} has no initial value`);
      return values;
    });
    graph.variables.forEach((_, i) => backend.write(memoryAt(this.#variables, i), before[i] ?? new Uint8Array(0)));
    const executable = backend.compile(graph);
    if (executable.program !== undefined) verify(executable.program);

    for (let turn = 0; turn < runs; turn++) {
      const failed = await failure(async () => backend.run(executable, { inputs, variables: this.#variables, outputs: this.#outputs }));
      if (outOfRange !== failed instanceof UserError) return [`run ${turn}: ${outOfRange ? 'no error for an index out of range' : String(failed)}`];
      if (failed !== undefined && !(failed instanceof UserError)) throw failed;
      const want = interpretAll(graph, inputs, before);
      const after: TypedArray[] = [];
      for (const [i, variable] of graph.variables.entries()) after.push(await backend.read(memoryAt(this.#variables, i), variable.dtype, elementCount(variable.shape)));
      const found: string[] = [];
      for (const [i, node] of graph.outputs.entries()) {
        const got = await backend.read(memoryAt(this.#outputs, i), node.dtype, elementCount(node.shape));
        found.push(...explain(`output ${i}`, node, compare(got, want.outputs[i] ?? [], node.dtype, tolerance)));
      }
      graph.variables.forEach((variable, i) => {
        const assigned = graph.assignments.findIndex((assignment) => assignment.variable === variable);
        const wanted = assigned < 0 ? before[i] : want.assignments[assigned];
        found.push(...explain(`variable ${variable.name}`, variable, compare(after[i] ?? [], wanted ?? [], variable.dtype, assigned < 0 ? { ulps: 0 } : tolerance)));
      });
      if (found.length > 0) return found.map((text) => (runs > 1 ? `run ${turn}: ${text}` : text));
      before = after;
    }
    return [];
  }

  free(): void {
    for (const memory of [...this.#outputs, ...this.#variables]) this.#backend.free(memory);
  }
}

async function failure(action: () => Promise<void>): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}

function sizeOf({ shape, dtype }: { readonly shape: Shape; readonly dtype: Dtype }): number {
  return elementCount(shape) * bytesOf(dtype);
}

function hostValues(node: Node): TypedArray {
  const values = node.op === 'data' ? node.attributes.leaf.data : undefined;
  if (values === undefined) throw new Error('a leaf of the graph has no data');
  return values;
}

function memoryAt(memories: readonly Memory[], i: number): Memory {
  const memory = memories[i];
  if (memory === undefined) throw new Error(`memory ${i} is missing`);
  return memory;
}

function explain(what: string, { shape, dtype }: { readonly shape: Shape; readonly dtype: Dtype }, difference: ReturnType<typeof compare>): string[] {
  if (difference === undefined) return [];
  const { index, got, want, ulps } = difference;
  const error = Number.isFinite(ulps) ? ` (${ulps.toPrecision(3)} ulp)` : '';
  return [`${what}, ${dtype} ${formatShape(shape)}: element ${index} is ${got}, not ${want}${error}`];
}
