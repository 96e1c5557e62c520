// The backend that generates C: programs compiled by the system's compiler, one foreign call a step.
import {
  InternalError,
  bytesOf,
  arrayOf,
  dtypes,
  schedule,
  type Backend,
  type BackendMemory,
  type Binding,
  type CanonicalGraph,
  type Dtype,
  type Executable,
  type Memory,
  type Program,
  type TypedArray,
} from '@athanor/core/backend';
import { ProgramCache } from './compiler/programs.ts';
import { kernelStore } from './compiler/store.ts';
import type { VectorBytes } from './compiler/toolchain.ts';
import { NativeExecutable, type Machine } from './executable.ts';
import { OwnedMemory, Region, ownedMemory } from './memory.ts';

export interface NativeOptions {
  /** Threads that share each program's work. Results do not depend on it. Default: one for each processor. */
  readonly threads?: number;
  /** Folder of compiled kernels. Default: `athanor/native` in $XDG_CACHE_HOME or ~/.cache. */
  readonly cacheFolder?: string;
  /** For tests: fills the arena before every run, and every allocation, with NaN. */
  readonly poison?: boolean;
  /** For tests: threads wait for random times between commands. */
  readonly delays?: boolean;
  /** For tests and `explain`: false gives every operation a kernel of its own. */
  readonly fuse?: boolean;
  /** For tests: vectors of at most so many bytes. Results do not depend on it. */
  readonly vectorBytes?: VectorBytes;
}

/** How long a thread that waits for others spins before it sleeps. */
const spinNanoseconds = 20_000;

/** A fresh backend that runs compiled C. Throws a UserError where there is no C compiler. */
export function nativeBackend(options: NativeOptions = {}): NativeBackend {
  return new NativeBackend(options);
}

/** Runs programs as generated C on threads of its own. Made by `nativeBackend`. */
export class NativeBackend implements Backend {
  readonly name = 'native';
  readonly numerics: string;
  readonly threads: number;
  readonly limits = {
    buffersPerKernel: 64,
    storesPerKernel: 16,
    elements: 2 ** 31 - 1,
    dtypes: Object.keys(dtypes) as Dtype[],
  };
  readonly #programs: ProgramCache;
  readonly #machine: Machine;
  readonly #live = new Set<OwnedMemory>();
  readonly #options: NativeOptions;
  #disposed = false;

  constructor(options: NativeOptions) {
    this.#options = options;
    const store = kernelStore({
      ...(options.cacheFolder === undefined ? {} : { folder: options.cacheFolder }),
      ...(options.vectorBytes === undefined ? {} : { widest: options.vectorBytes }),
    });
    const schedulingOptions = { fuse: options.fuse ?? true };
    this.#programs = new ProgramCache({
      store,
      schedule: (graph) => schedule(graph, this.limits, schedulingOptions),
      variant: JSON.stringify([this.limits, schedulingOptions]),
    });
    const { runtime, toolchain } = store;
    this.numerics = `native-${toolchain.fused ? 'fused' : 'unfused'}-libc-${runtime.libc()}`;
    this.threads = options.threads ?? runtime.processors();
    const regions = { arena: new Region(runtime), staging: new Region(runtime), scratch: new Region(runtime), shared: new Region(runtime) };
    const crowded = this.threads > runtime.processors();
    this.#machine = { runtime, ...regions, threads: this.threads, delays: options.delays ?? false, spinNanoseconds: crowded ? 0 : spinNanoseconds };
    runtime.retain();
  }

  allocate(bytes: number): Memory {
    const memory = new OwnedMemory(this.#machine.runtime, bytes, { poison: this.#options.poison ?? false });
    this.#live.add(memory);
    return memory;
  }

  free(memory: Memory): void {
    const owned = ownedMemory(memory);
    // Variables that outlive the backend leave it later.
    if (this.#disposed) return;
    if (!this.#live.delete(owned)) throw new InternalError('memory is freed twice');
    owned.release();
  }

  write(memory: Memory, values: TypedArray): void {
    if (values.byteLength > memory.bytes) throw new InternalError(`${values.byteLength} bytes do not fit ${memory.bytes}`);
    this.#machine.runtime.write(ownedMemory(memory).address, values, values.byteLength);
  }

  read(memory: Memory, dtype: Dtype, elements: number): TypedArray {
    if (elements * bytesOf(dtype) > memory.bytes) throw new InternalError(`${elements} elements of ${dtype} lie beyond ${memory.bytes} bytes`);
    const values = arrayOf(dtype, elements);
    this.#machine.runtime.read(values, ownedMemory(memory).address, values.byteLength);
    return values;
  }

  compile(graph: CanonicalGraph): Executable {
    return new NativeExecutable(this.#programs.of(graph));
  }

  /** Compiles the kernels of several graphs at once, which is faster than one graph after the other. */
  prepare(graphs: readonly CanonicalGraph[]): void {
    this.#programs.prepare(graphs);
  }

  /** Compiles a program that was scheduled already. */
  load(program: Program): NativeExecutable {
    return new NativeExecutable(this.#programs.loaded(program));
  }

  run(executable: Executable, binding: Binding): void {
    const own = this.#own(executable);
    if (this.#options.poison === true) {
      this.#machine.arena.reserve(own.program.arenaBytes);
      this.#machine.arena.poison();
    }
    own.run(binding, this.#machine);
  }

  /** Runs a program command by command, with all its effects; the milliseconds that each command took. */
  profile(executable: Executable, binding: Binding): number[] {
    return this.#own(executable).profile(binding, this.#machine);
  }

  #own(executable: Executable): NativeExecutable {
    if (!(executable instanceof NativeExecutable)) throw new InternalError('the program belongs to another backend');
    if (this.#disposed) throw new InternalError('the backend was disposed of');
    return executable;
  }

  memory(): BackendMemory {
    let owned = 0;
    for (const { bytes } of this.#live) owned += bytes;
    return { arena: this.#machine.arena.bytes, owned, allocations: this.#live.size };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const memory of this.#live) memory.release();
    this.#live.clear();
    const { arena, staging, scratch, shared, runtime } = this.#machine;
    for (const region of [arena, staging, scratch, shared]) region.release();
    runtime.release();
  }
}
