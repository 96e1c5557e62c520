// Device memory with an identity: what a program binds when it reads or assigns. Variables are storages that change;
// a realized tensor is one that never does.
import type { Backend, Memory } from '../backend/backend.ts';
import { arrayOf, bytesOf, type Dtype, type TypedArray } from '../dtype.ts';
import { UserError, formatShape } from '../errors.ts';
import type { VariableSlot } from '../graph/node.ts';
import { assertSizes, elementCount, type Shape } from '../shape.ts';
import { submit } from './queue.ts';

let nextId = 1;

/** Where the values are. One object for the storage's whole life, so that the collector can free what nobody holds. */
interface Home {
  backend: Backend;
  memory: Memory;
}

const abandoned = new FinalizationRegistry<{ home: Home | undefined }>((cell) => {
  const { home } = cell;
  if (home !== undefined) submit(() => home.backend.free(home.memory));
});

/** The values that a storage starts with; undefined means zeros. */
export type Initial = () => TypedArray | undefined;

export interface StorageOptions {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly initial?: Initial;
}

export class Storage implements VariableSlot {
  readonly id = nextId++;
  name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Counts committed writes: a read node is valid while it names the current version. */
  version = 0;
  /** What made the last committed write, for messages. */
  writer = 'its creation';
  #initial: Initial | undefined;
  /** Variables live as long as their module; other storages as long as their scope. */
  readonly persistent: boolean = false;
  readonly #cell: { home: Home | undefined } = { home: undefined };
  #disposed = false;

  constructor({ name, shape, dtype, initial }: StorageOptions) {
    assertSizes(shape, name);
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.#initial = initial;
    abandoned.register(this, this.#cell, this.#cell);
  }

  /** The number of elements. */
  get elements(): number {
    return elementCount(this.shape);
  }

  /** Bytes that the values take. */
  get bytes(): number {
    return this.elements * bytesOf(this.dtype);
  }

  /** Whether the memory has been freed. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Whether device memory has been allocated. */
  get allocated(): boolean {
    return this.#cell.home !== undefined;
  }

  /** Takes over memory that a run has filled. */
  adopt(backend: Backend, memory: Memory): void {
    this.#cell.home = { backend, memory };
    this.#initial = undefined;
  }

  /** The memory on a backend: allocated, filled with the initial values or moved there at first use. */
  memoryOn(backend: Backend): Memory {
    const { home } = this.#cell;
    if (home?.backend === backend) return home.memory;
    if (this.#disposed) throw this.disposalError();
    const values = home === undefined ? (this.#initial?.() ?? arrayOf(this.dtype, this.elements)) : this.#leave(home);
    const memory = backend.allocate(this.bytes);
    backend.write(memory, values);
    this.adopt(backend, memory);
    return memory;
  }

  /** Overwrites the values; the caller has put this into the queue. */
  write(backend: Backend, values: TypedArray): void {
    const { home } = this.#cell;
    if (home?.backend === backend) {
      backend.write(home.memory, values);
      return;
    }
    this.#initial = () => values;
    if (home !== undefined) home.backend.free(home.memory);
    this.#cell.home = undefined;
    this.memoryOn(backend);
  }

  /** Frees the memory; every later use is an error. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { home } = this.#cell;
    this.#cell.home = undefined;
    abandoned.unregister(this.#cell);
    if (home !== undefined) submit(() => home.backend.free(home.memory));
  }

  /** The error that a use after disposal throws; it names the storage. */
  disposalError(): UserError {
    return new UserError(`${this.name} ${this.dtype} ${formatShape(this.shape)} is used after it was disposed of`, {
      remedy: 'return it from its scope, or dispose of it later',
    });
  }

  #leave(home: Home): TypedArray {
    const values = home.backend.read(home.memory, this.dtype, this.elements);
    if (values instanceof Promise) {
      throw new UserError(`${this.name} lives on backend ${home.backend.name}, which cannot be read at once`, {
        remedy: 'choose the backend before making the model',
      });
    }
    home.backend.free(home.memory);
    return values;
  }
}
