// Memory of the backend: allocations for Variables and outputs, and regions that grow and are shared by all programs.
import { InternalError, type Memory } from '@athanor/core/backend';
import type { Runtime } from './compiler/library.ts';

/** Every byte of poison makes floats NaN and integers odd. */
const poisonByte = 0xff;

/** An allocation: a Variable's or an output's. */
export class OwnedMemory implements Memory {
  readonly bytes: number;
  readonly #runtime: Runtime;
  #address: number;

  constructor(runtime: Runtime, bytes: number, options: { readonly poison: boolean }) {
    this.bytes = bytes;
    this.#runtime = runtime;
    this.#address = runtime.allocate(bytes);
    if (options.poison) runtime.fill(this.#address, poisonByte, bytes);
  }

  get address(): number {
    if (this.#address === 0) throw new InternalError('memory is used after it was freed');
    return this.#address;
  }

  release(): void {
    this.#runtime.free(this.address);
    this.#address = 0;
  }
}

export function ownedMemory(memory: Memory): OwnedMemory {
  if (!(memory instanceof OwnedMemory)) throw new InternalError('the memory belongs to another backend');
  return memory;
}

/** Memory that grows to the largest need; what it held is lost when it does. */
export class Region {
  readonly #runtime: Runtime;
  #address = 0;
  #bytes = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Changes when the region grows. */
  get address(): number {
    return this.#address;
  }

  reserve(bytes: number): void {
    if (bytes <= this.#bytes) return;
    this.release();
    this.#address = this.#runtime.allocate(bytes);
    this.#bytes = bytes;
  }

  poison(): void {
    if (this.#bytes > 0) this.#runtime.fill(this.#address, poisonByte, this.#bytes);
  }

  release(): void {
    if (this.#address !== 0) this.#runtime.free(this.#address);
    this.#address = 0;
    this.#bytes = 0;
  }
}
