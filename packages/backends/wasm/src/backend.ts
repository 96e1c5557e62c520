// The wasm backend: schedules graphs, compiles their kernels to WebAssembly, and runs programs on threads that share memory.
import {
  UserError, dtypes, indexOutOfRange, schedule,
  type Backend, type BackendLimits, type BackendMemory, type Binding, type CanonicalGraph, type Dtype, type Executable, type Memory, type Program,
  type ScheduleOptions, type TypedArray,
} from '@athanor/core/backend';
import { Allocation } from './runtime/allocation.ts';
import { LinearMemory } from './runtime/allocator.ts';
import { Arena } from './runtime/arena.ts';
import { control } from './runtime/control.ts';
import { driverModule, type DriverExports } from './runtime/driver.ts';
import { WasmExecutable } from './runtime/executable.ts';
import { coreCount, hasFusedMultiplyAdd, hasSharedMemory, maySleep, registerTile } from './runtime/features.ts';
import { Pool } from './runtime/pool.ts';
import { KernelStore } from './runtime/store.ts';

export interface WasmOptions {
  /** Threads, the calling one included; by default all cores, or 1 where memory cannot be shared. */
  readonly threads?: number;
  /** How the scheduler groups operations; for tests. */
  readonly schedule?: ScheduleOptions;
  /** Fills intermediate memory with NaN before each run; for tests. */
  readonly poison?: boolean;
  /** Threads wait at random; for tests. */
  readonly delays?: boolean;
  /** Seconds that threads wait for each other before a run fails. */
  readonly patience?: number;
}

const limits: BackendLimits = {
  buffersPerKernel: 24,
  storesPerKernel: 8,
  elements: 2 ** 30,
  dtypes: Object.keys(dtypes) as Dtype[],
};

/** Runs programs as generated WebAssembly. Made by `wasmBackend`. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly limits = limits;
  readonly numerics: string;
  readonly threads: number;
  /** Settles when all threads have started. */
  readonly ready: Promise<void>;
  private readonly options: WasmOptions;
  private readonly linear: LinearMemory;
  private readonly pool: Pool;
  private readonly store: KernelStore;
  private readonly arena: Arena;
  /** Gives back the command tables of executables that the engine has dropped. */
  private readonly forgotten: FinalizationRegistry<number>;
  private owned = 0;
  private allocations = 0;
  private disposed = false;

  constructor(options: WasmOptions = {}) {
    const { threads = defaultThreads(), patience = 30 } = options;
    if (!Number.isInteger(threads) || threads < 1) throw new UserError(`wasm: ${threads} threads`, { remedy: 'threads is a whole number from 1' });
    if (threads > 1 && !hasSharedMemory()) {
      throw new UserError(`wasm: ${threads} threads need SharedArrayBuffer`, { remedy: 'serve the page cross-origin isolated, or use one thread' });
    }
    this.options = options;
    this.threads = threads;
    this.linear = new LinearMemory(threads > 1);
    const { memory, limits: memoryLimits } = this.linear;
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
    const driverBytes = driverModule({ memory: memoryLimits, mayBlock: maySleep(), patienceSeconds: patience });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(driverBytes), { env: { memory, table } });
    this.pool = new Pool(threads, this.linear, instance.exports as unknown as DriverExports, driverBytes);
    this.ready = this.pool.ready;
    this.numerics = hasFusedMultiplyAdd() ? 'wasm-fma' : 'wasm';
    this.store = new KernelStore({ memory: memoryLimits, tile: registerTile() }, memory, table, this.pool);
    this.arena = new Arena(this.linear, threads);
    const { linear } = this;
    this.forgotten = new FinalizationRegistry((table) => linear.release(table));
    this.linear.words(0, 128)[control.delays / 4] = Number(options.delays === true);
  }

  /** Device memory for a Variable or an output. */
  allocate(bytes: number): Memory {
    const memory = new Allocation(this.linear.allocate(bytes), bytes);
    this.owned += bytes;
    this.allocations += 1;
    return memory;
  }

  free(memory: Memory): void {
    const allocation = Allocation.of(memory);
    this.linear.release(allocation.release());
    this.owned -= allocation.bytes;
    this.allocations -= 1;
  }

  /** Copies host values into device memory. */
  write(memory: Memory, values: TypedArray): void {
    const { address } = Allocation.of(memory);
    this.linear.bytes(address, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  read(memory: Memory, dtype: Dtype, elements: number): TypedArray {
    const view = this.linear.view(dtype, Allocation.of(memory).address, elements);
    const copy = new (view.constructor as new (length: number) => TypedArray)(elements);
    copy.set(view);
    return copy;
  }

  compile(graph: CanonicalGraph): Executable {
    return this.load(schedule(graph, limits, this.options.schedule));
  }

  /** Compiles a program that was scheduled already. */
  load(program: Program): Executable {
    if (this.disposed) throw new UserError('the wasm backend was disposed of');
    const executable = new WasmExecutable(program, this.store, this.linear, this.pool);
    this.forgotten.register(executable, executable.table);
    return executable;
  }

  run(executable: Executable, binding: Binding): void {
    this.prepared(executable).run(binding, this.arena);
    this.checkFlag();
  }

  /** Runs a program command by command, with all its effects; the milliseconds that each command took. */
  profile(executable: Executable, binding: Binding): number[] {
    const times = this.prepared(executable).profile(binding, this.arena);
    this.checkFlag();
    return times;
  }

  /** An executable of this backend, with an arena that is large enough. */
  private prepared(executable: Executable): WasmExecutable {
    if (!(executable instanceof WasmExecutable)) throw new UserError('an executable of another backend was given to the wasm backend');
    if (this.disposed) throw new UserError('the wasm backend was disposed of');
    this.arena.reserve(executable.arenaBytes, executable.scratch);
    if (this.options.poison === true) this.arena.poison(executable.arenaBytes, executable.scratch);
    return executable;
  }

  private checkFlag(): void {
    const flag = this.linear.words(control.flag, 1);
    if (flag[0] === 0) return;
    flag[0] = 0;
    throw indexOutOfRange();
  }

  /** Bytes that the arena and live allocations take. */
  memory(): BackendMemory {
    return { arena: this.arena.bytes, owned: this.owned, allocations: this.allocations };
  }

  /** For tests: ends a worker thread, as a crash would. */
  loseThread(thread: number): Promise<void> {
    return this.pool.lose(thread);
  }

  dispose(): void {
    this.disposed = true;
    this.pool.dispose();
  }
}

function defaultThreads(): number {
  return hasSharedMemory() && maySleep() ? coreCount() : 1;
}

/** A wasm backend whose threads have started. */
export async function wasmBackend(options: WasmOptions = {}): Promise<WasmBackend> {
  const backend = new WasmBackend(options);
  await backend.ready;
  return backend;
}
