// The runtime library and what it exports, through koffi. Addresses are JavaScript numbers.
import koffi from 'koffi';
import { InternalError, type TypedArray } from '@athanor/core/backend';

export interface Runtime {
  allocate(bytes: number): number;
  free(address: number): void;
  write(address: number, values: TypedArray, bytes: number): void;
  /** Writes what a program is about to read, much of it with all threads. */
  bring(address: number, values: TypedArray, bytes: number, threads: number, spinNanoseconds: number): void;
  read(values: TypedArray, address: number, bytes: number): void;
  fill(address: number, byte: number, bytes: number): void;
  /** Address of a library, or 0. */
  open(path: string): number;
  /** Why the last `open` failed. */
  error(): string | null;
  symbol(library: number, name: string): number;
  libc(): string;
  processors(): number;
  /** Counts a backend that runs programs; the last `release` ends all threads. */
  retain(): void;
  release(): void;
  /** Runs commands in order and gives the flags that they raised. */
  run(
    commands: BigInt64Array,
    count: number,
    programArguments: BigInt64Array,
    buffers: Float64Array,
    scratch: number,
    scratchStride: number,
    shared: number,
    threads: number,
    delays: number,
    spinNanoseconds: number,
  ): number;
}

export function loadRuntime(path: string): Runtime {
  const library = koffi.load(path);
  const pointer = 'uintptr_t';
  const bind = (name: string, result: string, ...parameters: string[]) => library.func(`athanor_${name}`, result, parameters);
  const allocate = bind('allocate', pointer, 'int64_t');
  return {
    allocate(bytes) {
      const address: number = allocate(bytes);
      if (address === 0) throw new InternalError(`there is no memory for ${bytes} bytes more`);
      return address;
    },
    free: bind('free', 'void', pointer),
    write: bind('copy', 'void', pointer, 'void *', 'int64_t'),
    bring: bind('bring', 'void', pointer, 'void *', 'int64_t', 'int32_t', 'int64_t'),
    read: bind('copy', 'void', 'void *', pointer, 'int64_t'),
    fill: bind('fill', 'void', pointer, 'int32_t', 'int64_t'),
    open: bind('open', pointer, 'str'),
    error: bind('error', 'str'),
    symbol: bind('symbol', pointer, pointer, 'str'),
    libc: bind('libc', 'str'),
    processors: bind('processors', 'int32_t'),
    retain: bind('retain', 'void'),
    release: bind('release', 'void'),
    run: bind('run', 'int32_t', 'void *', 'int64_t', 'void *', 'void *', pointer, 'int64_t', pointer, 'int32_t', 'int32_t', 'int64_t'),
  };
}
