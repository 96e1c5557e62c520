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
  type Executable,
  type Interpretation,
  type Memory,
  type Node,
  type Shape,
  type TypedArray,
} from '@athanor/core/backend';
import { compare } from './compare.ts';
import { exact, type Problem, type Tolerance } from './problem.ts';

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

/** All outputs and then all Variables after the runs; an index out of range is no failure here. */
export async function resultsOf(backend: Backend, problem: Problem): Promise<TypedArray[]> {
  const graph = canonicalize({ outputs: problem.outputs, assignments: problem.assignments ?? [] });
  const run = new Run(backend, graph, problem);
  try {
    return await run.results();
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
  readonly #inputs: TypedArray[];

  constructor(backend: Backend, graph: CanonicalGraph, problem: Problem) {
    this.#backend = backend;
    this.#graph = graph;
    this.#problem = problem;
    this.#outputs = graph.outputs.map((node) => backend.allocate(sizeOf(node)));
    this.#variables = graph.variables.map((variable) => backend.allocate(sizeOf(variable)));
    this.#inputs = graph.inputs.map(hostValues);
  }

  async check(tolerance: Tolerance): Promise<string[]> {
    const { runs = 1, outOfRange = false } = this.#problem;
    const executable = this.#prepare();
    let before = await this.#readVariables();
    for (let turn = 0; turn < runs; turn++) {
      const failed = await this.#run(executable);
      if (outOfRange !== (failed !== undefined))
        return [`run ${turn}: ${outOfRange ? 'no error for an index out of range' : String(failed)}`];
      const after = await this.#readVariables();
      const want = interpretAll(this.#graph, this.#inputs, before);
      const found = [...(await this.#wrongOutputs(want, tolerance)), ...this.#wrongVariables(want, before, after, tolerance)];
      if (found.length > 0) return found.map((text) => (runs > 1 ? `run ${turn}: ${text}` : text));
      before = after;
    }
    return [];
  }

  async results(): Promise<TypedArray[]> {
    const executable = this.#prepare();
    for (let turn = 0; turn < (this.#problem.runs ?? 1); turn++) await this.#run(executable);
    return [...(await this.#readOutputs()), ...(await this.#readVariables())];
  }

  /** Writes initial values, compiles, verifies the program. */
  #prepare(): Executable {
    this.#graph.variables.forEach((variable, i) => {
      const values = this.#problem.initial?.get(variable);
      if (values === undefined) throw new Error(`Variable ${variable.name} has no initial value`);
      this.#backend.write(at(this.#variables, i), values);
    });
    const executable = this.#backend.compile(this.#graph);
    if (executable.program !== undefined) verify(executable.program);
    return executable;
  }

  /** The error of an index out of range, if there was one; any other is thrown. */
  async #run(executable: Executable): Promise<UserError | undefined> {
    try {
      await this.#backend.run(executable, { inputs: this.#inputs, variables: this.#variables, outputs: this.#outputs });
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  async #readVariables(): Promise<TypedArray[]> {
    return Promise.all(
      this.#graph.variables.map(({ dtype, shape }, i) => this.#backend.read(at(this.#variables, i), dtype, elementCount(shape))),
    );
  }

  async #readOutputs(): Promise<TypedArray[]> {
    return Promise.all(
      this.#graph.outputs.map(({ dtype, shape }, i) => this.#backend.read(at(this.#outputs, i), dtype, elementCount(shape))),
    );
  }

  async #wrongOutputs(want: Interpretation, tolerance: Tolerance): Promise<string[]> {
    const got = await this.#readOutputs();
    return this.#graph.outputs.flatMap((node, i) =>
      explain(`output ${i}`, node, compare(at(got, i), want.outputs[i] ?? [], node.dtype, tolerance)),
    );
  }

  #wrongVariables(want: Interpretation, before: readonly TypedArray[], after: readonly TypedArray[], tolerance: Tolerance): string[] {
    const { variables, assignments } = this.#graph;
    return variables.flatMap((variable, i) => {
      const assigned = assignments.findIndex((assignment) => assignment.variable === variable);
      const wanted = assigned < 0 ? at(before, i) : (want.assignments[assigned] ?? []);
      return explain(
        `variable ${variable.name}`,
        variable,
        compare(at(after, i), wanted, variable.dtype, assigned < 0 ? exact : tolerance),
      );
    });
  }

  free(): void {
    for (const memory of [...this.#outputs, ...this.#variables]) this.#backend.free(memory);
  }
}

function sizeOf({ shape, dtype }: { readonly shape: Shape; readonly dtype: Dtype }): number {
  return elementCount(shape) * bytesOf(dtype);
}

/** The data of a leaf. */
export function hostValues(node: Node): TypedArray {
  const values = node.op === 'data' ? node.attributes.leaf.data : undefined;
  if (values === undefined) throw new Error('a leaf of the graph has no data');
  return values;
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i];
  if (item === undefined) throw new Error(`item ${i} is missing`);
  return item;
}

function explain(
  what: string,
  { shape, dtype }: { readonly shape: Shape; readonly dtype: Dtype },
  difference: ReturnType<typeof compare>,
): string[] {
  if (difference === undefined) return [];
  const { index, got, want, ulps } = difference;
  const error = Number.isFinite(ulps) ? ` (${ulps.toPrecision(3)} ulp)` : '';
  return [`${what}, ${dtype} ${formatShape(shape)}: element ${index} is ${got}, not ${want}${error}`];
}
