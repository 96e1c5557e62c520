// The interpreter as a backend: slow, runs everywhere, and what every other backend is measured against.
import type { Backend, BackendMemory, Binding, CanonicalGraph, Executable, Memory } from '../backend/backend.ts';
import { indexOutOfRange } from '../backend/failures.ts';
import { arrayOf, castNumber, dtypes, isFloat, type Dtype, type TypedArray } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { anonymous } from '../graph/anonymous.ts';
import { elementCount } from '../shape.ts';
import { interpretAll } from './interpret.ts';

/** A buffer in float64; it keeps its size in bytes for accounting only. */
class ReferenceMemory implements Memory {
  readonly bytes: number;
  values: Float64Array | undefined;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

interface Interpreted extends Executable {
  readonly graph: CanonicalGraph;
}

function isInterpreted(executable: Executable): executable is Interpreted {
  return 'graph' in executable;
}

function own(memory: Memory): ReferenceMemory {
  if (!(memory instanceof ReferenceMemory)) throw new InternalError('the memory belongs to another backend');
  return memory;
}

class ReferenceBackend implements Backend {
  readonly name = 'reference';
  readonly numerics = 'reference-float64';
  readonly threads = 1;
  readonly limits = {
    buffersPerKernel: Infinity,
    storesPerKernel: Infinity,
    elements: 2 ** 31 - 1,
    dtypes: Object.keys(dtypes) as Dtype[],
  };
  private readonly live = new Set<ReferenceMemory>();

  allocate(bytes: number): Memory {
    const memory = new ReferenceMemory(bytes);
    this.live.add(memory);
    return memory;
  }

  free(memory: Memory): void {
    this.live.delete(own(memory));
  }

  write(memory: Memory, values: TypedArray): void {
    own(memory).values = Float64Array.from(values);
  }

  read(memory: Memory, dtype: Dtype, elements: number): TypedArray {
    const out = arrayOf(dtype, elements);
    const values = own(memory).values ?? new Float64Array(elements);
    for (let i = 0; i < elements; i++) out[i] = isFloat(dtype) ? (values[i] ?? 0) : castNumber(values[i] ?? 0, dtype);
    return out;
  }

  compile(graph: CanonicalGraph): Interpreted {
    return { graph: anonymous(graph) };
  }

  run(executable: Executable, binding: Binding): void {
    if (!isInterpreted(executable)) throw new InternalError('the program belongs to another backend');
    const { graph } = executable;
    const variables = binding.variables.map((memory, i) => own(memory).values ?? new Float64Array(elementCount(graph.variables[i]?.shape ?? [])));
    const result = interpretAll(graph, binding.inputs, variables);
    result.outputs.forEach((values, i) => {
      const memory = binding.outputs[i];
      if (memory !== undefined) own(memory).values = values;
    });
    graph.assignments.forEach(({ variable }, i) => {
      const memory = binding.variables[graph.variables.indexOf(variable)];
      if (memory !== undefined) own(memory).values = result.assignments[i];
    });
    if (result.outOfRange) throw indexOutOfRange();
  }

  memory(): BackendMemory {
    let owned = 0;
    for (const { bytes } of this.live) owned += bytes;
    return { arena: 0, owned, allocations: this.live.size };
  }

  dispose(): void {
    this.live.clear();
  }
}

/** A fresh backend that interprets graphs in float64. */
export function referenceBackend(): Backend {
  return new ReferenceBackend();
}
