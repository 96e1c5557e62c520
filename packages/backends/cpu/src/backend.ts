// The backend that generates JavaScript: no dependency, no threads, runs wherever `new Function` is allowed.
import {
  InternalError,
  bytesOf,
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
  type ScheduleOptions,
  type TypedArray,
} from '@athanor/core/backend';
import { KernelStore } from './codegen/kernel.ts';
import { CpuExecutable } from './executable.ts';
import { Arena, OwnedMemory, ownedMemory } from './memory.ts';

export interface CpuOptions {
  /** For tests: fills the arena before every run, and every allocation, with NaN. */
  readonly poison?: boolean;
  readonly schedule?: ScheduleOptions;
}

/** A fresh backend that runs generated JavaScript. */
export function cpuBackend(options: CpuOptions = {}): CpuBackend {
  return new CpuBackend(options);
}

/** Runs programs as generated JavaScript, on the calling thread. Made by `cpuBackend`. */
export class CpuBackend implements Backend {
  readonly name = 'cpu';
  readonly numerics = `cpu-javascript-${engineVersion()}`;
  readonly threads = 1;
  readonly limits = {
    buffersPerKernel: 64,
    storesPerKernel: 16,
    elements: 2 ** 31 - 1,
    dtypes: Object.keys(dtypes) as Dtype[],
  };
  readonly #kernels = new KernelStore();
  readonly #arena = new Arena();
  readonly #live = new Set<OwnedMemory>();
  readonly #poison: boolean;
  readonly #schedule: ScheduleOptions;
  #disposed = false;

  constructor({ poison = false, schedule: scheduleOptions = {} }: CpuOptions) {
    this.#poison = poison;
    this.#schedule = scheduleOptions;
  }

  /** Device memory for a Variable or an output. */
  allocate(bytes: number): Memory {
    const memory = new OwnedMemory(bytes, { poison: this.#poison });
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

  /** Copies host values into device memory. */
  write(memory: Memory, values: TypedArray): void {
    const { buffer, byteOffset, byteLength } = values;
    ownedMemory(memory)
      .view('uint8')
      .set(new Uint8Array(buffer, byteOffset, byteLength));
  }

  read(memory: Memory, dtype: Dtype, elements: number): TypedArray {
    if (elements * bytesOf(dtype) > memory.bytes)
      throw new InternalError(`${elements} elements of ${dtype} lie beyond ${memory.bytes} bytes`);
    return ownedMemory(memory).view(dtype).slice(0, elements);
  }

  compile(graph: CanonicalGraph): Executable {
    return this.load(schedule(graph, this.limits, this.#schedule));
  }

  /** Compiles a program that was scheduled already. */
  load(program: Program): CpuExecutable {
    return new CpuExecutable(program, this.#kernels);
  }

  run(executable: Executable, binding: Binding): void {
    this.#prepared(executable).run(binding, this.#arena);
  }

  /** Runs a program command by command, with all its effects; the milliseconds that each command took. */
  profile(executable: Executable, binding: Binding): number[] {
    return this.#prepared(executable).profile(binding, this.#arena);
  }

  /** An executable of this backend, with an arena that is large enough. */
  #prepared(executable: Executable): CpuExecutable {
    if (!(executable instanceof CpuExecutable)) throw new InternalError('the program belongs to another backend');
    this.#arena.reserve(executable.program.arenaBytes);
    if (this.#poison) this.#arena.poison();
    return executable;
  }

  /** Bytes that the arena and live allocations take. */
  memory(): BackendMemory {
    let owned = 0;
    for (const { bytes } of this.#live) owned += bytes;
    return { arena: this.#arena.bytes, owned, allocations: this.#live.size };
  }

  dispose(): void {
    this.#disposed = true;
    for (const memory of this.#live) memory.release();
    this.#live.clear();
    this.#arena.clear();
    this.#kernels.clear();
  }
}

/** Math's functions differ in the last bit between engines: their version is part of the numerics. */
function engineVersion(): string {
  const { process, navigator } = globalThis as { process?: { versions?: { v8?: string } }; navigator?: { userAgent?: string } };
  return process?.versions?.v8 ?? navigator?.userAgent ?? 'unknown';
}
