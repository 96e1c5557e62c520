// The contract between the engine and a backend.
import type { Dtype, TypedArray } from '../dtype.ts';
import type { Node, VariableSlot } from '../graph/node.ts';
import type { Program } from '../kernel/ir.ts';
import type { Shape } from '../shape.ts';

/** What a program must compute: values to return, and values to write into variables at the end. */
export interface Graph {
  readonly outputs: readonly Node[];
  readonly assignments: readonly { readonly variable: VariableSlot; readonly value: Node }[];
}

/** A graph with its leaves numbered: programs refer to inputs and variables by these positions. */
export interface CanonicalGraph extends Graph {
  /** All nodes, operands before users. */
  readonly nodes: readonly Node[];
  /** `data` nodes that need host values, in order of first use. */
  readonly inputs: readonly Node[];
  /** Variables read or assigned, in order of first use. */
  readonly variables: readonly VariableSlot[];
  /** Equal for graphs of equal structure. */
  readonly hash: string;
}

/** Device memory that holds a Variable or an output. */
export interface Memory {
  readonly bytes: number;
}

/** A compiled graph. `program` is absent where a backend interprets the graph itself. */
export interface Executable {
  readonly program?: Program;
}

/** What one run reads and writes, in the canonical graph's order. */
export interface Binding {
  readonly inputs: readonly TypedArray[];
  readonly variables: readonly Memory[];
  readonly outputs: readonly Memory[];
}

export interface BackendLimits {
  /** Buffer arguments of one kernel. */
  readonly buffersPerKernel: number;
  readonly storesPerKernel: number;
  readonly elements: number;
  readonly dtypes: readonly Dtype[];
}

export interface BackendMemory {
  /** Bytes of the arena that programs share. */
  readonly arena: number;
  /** Bytes of live allocations (Variables, realised tensors, outputs). */
  readonly owned: number;
  readonly allocations: number;
}

export interface Backend {
  readonly name: string;
  readonly limits: BackendLimits;
  /** Whatever can change bits: backend, fused multiply-add or not, engine version. */
  readonly numerics: string;
  readonly threads: number;
  /** Device memory for a Variable or an output. */
  allocate(bytes: number): Memory;
  /** Does nothing after `dispose`: Variables and compiled functions may outlive their backend. */
  free(memory: Memory): void;
  /** Copies host values into device memory. */
  write(memory: Memory, values: TypedArray): void;
  /** A fresh host copy. */
  read(memory: Memory, dtype: Dtype, elements: number): TypedArray | Promise<TypedArray>;
  /** Schedules and compiles; the engine caches the result by hash. What is returned must not keep the graph's leaves alive. */
  compile(graph: CanonicalGraph): Executable;
  /** Runs are ordered. Throws (or rejects) with a UserError if a gather or scatter index was out of range. */
  run(executable: Executable, binding: Binding): void | Promise<void>;
  /** Runs a program command by command, with all its effects; the milliseconds that each command took. */
  profile?(executable: Executable, binding: Binding): readonly number[];
  /** What the backend holds now. */
  memory(): BackendMemory;
  /** Ends workers and frees everything. */
  dispose(): void | Promise<void>;
}

/** A result of a program as the engine sees it. */
export interface Realized {
  readonly memory: Memory;
  readonly shape: Shape;
  readonly dtype: Dtype;
}
