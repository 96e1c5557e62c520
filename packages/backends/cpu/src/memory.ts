// Memory of the backend: one arena that all programs share, and one buffer for each allocation.
import { InternalError, bytesOf, viewOf, type Dtype, type Memory, type TypedArray } from '@athanor/core/backend';

/** Every byte of poison makes floats NaN and integers odd. */
const poisonByte = 0xff;

/** An allocation: a Variable's or an output's. */
export class OwnedMemory implements Memory {
  readonly bytes: number;
  #buffer: ArrayBuffer | undefined;
  #views = new Map<Dtype, TypedArray>();

  constructor(bytes: number, options: { readonly poison: boolean }) {
    this.bytes = bytes;
    // Whole 8-byte words, so that any dtype may view it.
    this.#buffer = new ArrayBuffer(Math.ceil(bytes / 8) * 8);
    if (options.poison) new Uint8Array(this.#buffer).fill(poisonByte);
  }

  /** All elements of a dtype that the allocation holds. */
  view(dtype: Dtype): TypedArray {
    if (this.#buffer === undefined) throw new InternalError('memory is used after it was freed');
    const known = this.#views.get(dtype);
    if (known !== undefined) return known;
    const made = viewOf(dtype, this.#buffer, 0, Math.floor(this.bytes / bytesOf(dtype)));
    this.#views.set(dtype, made);
    return made;
  }

  release(): void {
    this.#buffer = undefined;
    this.#views.clear();
  }
}

export function ownedMemory(memory: Memory): OwnedMemory {
  if (!(memory instanceof OwnedMemory)) throw new InternalError('the memory belongs to another backend');
  return memory;
}

/** Scratch for values that live within one run. It grows to the largest program's need. */
export class Arena {
  #buffer = new ArrayBuffer(0);

  get bytes(): number {
    return this.#buffer.byteLength;
  }

  /** Changes when the arena grows: views of older buffers are stale. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  reserve(bytes: number): void {
    if (bytes > this.#buffer.byteLength) this.#buffer = new ArrayBuffer(Math.ceil(bytes / 64) * 64);
  }

  poison(): void {
    new Uint8Array(this.#buffer).fill(poisonByte);
  }

  clear(): void {
    this.#buffer = new ArrayBuffer(0);
  }
}
