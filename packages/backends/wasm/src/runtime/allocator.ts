// Linear memory and what lies where: an allocator with free lists over a growing WebAssembly memory.
import { UserError, viewOf, type Dtype, type TypedArray } from '@athanor/core/backend';
import type { MemoryLimits } from '../assembler/module.ts';
import { firstFree } from './control.ts';

const pageBytes = 65536;
const alignment = 64;
/**
 * Space behind large blocks: elements of equal index in arrays whose sizes are multiples of a page would otherwise meet
 * in the same sets of every cache.
 */
const largeBytes = 4 * pageBytes;
const staggerBytes = 81 * alignment;
/** Kernels may read a little beyond the last allocation. */
const slackBytes = pageBytes;

interface Block {
  readonly start: number;
  readonly bytes: number;
}

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly limits: MemoryLimits;
  /** Free blocks by address; neighbours are merged. */
  private readonly free: Block[] = [];
  private readonly sizes = new Map<number, number>();
  private top = firstFree;

  constructor(shared: boolean) {
    const { memory, limits } = createMemory(shared);
    this.memory = memory;
    this.limits = limits;
  }

  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  view(dtype: Dtype, address: number, elements: number): TypedArray {
    return viewOf(dtype, this.memory.buffer, address, elements);
  }

  words(address: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, count);
  }

  bytes(address: number, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, count);
  }

  /** Address of a new block, a multiple of 64. */
  allocate(bytes: number): number {
    const stagger = bytes >= largeBytes ? staggerBytes : 0;
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment) + stagger;
    const found = this.bestFit(size);
    const block = found < 0 ? undefined : this.free[found];
    if (block === undefined) {
      const start = this.top;
      this.extend(start + size);
      this.sizes.set(start, size);
      return start;
    }
    if (block.bytes === size) this.free.splice(found, 1);
    else this.free[found] = { start: block.start + size, bytes: block.bytes - size };
    this.sizes.set(block.start, size);
    return block.start;
  }

  release(address: number): void {
    const size = this.sizes.get(address);
    if (size === undefined) return;
    this.sizes.delete(address);
    let low = 0;
    let high = this.free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.free[middle]?.start ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [this.free[low - 1], this.free[low]];
    const joinsBefore = before !== undefined && before.start + before.bytes === address;
    const joinsAfter = after !== undefined && address + size === after.start;
    const start = joinsBefore ? before.start : address;
    const end = joinsAfter ? after.start + after.bytes : address + size;
    const first = joinsBefore ? low - 1 : low;
    const replaced = Number(joinsBefore) + Number(joinsAfter);
    if (end === this.top) {
      this.free.splice(first, replaced);
      this.top = start;
    } else this.free.splice(first, replaced, { start, bytes: end - start });
  }

  private bestFit(size: number): number {
    let best = -1;
    let bestBytes = Infinity;
    for (let i = 0; i < this.free.length; i++) {
      const bytes = this.free[i]?.bytes ?? 0;
      if (bytes >= size && bytes < bestBytes) {
        best = i;
        bestBytes = bytes;
        if (bytes === size) break;
      }
    }
    return best;
  }

  private extend(end: number): void {
    const needed = Math.ceil((end + slackBytes) / pageBytes);
    const present = this.memory.buffer.byteLength / pageBytes;
    if (needed > present) {
      const wanted = Math.min(this.limits.maximum, Math.max(needed, Math.ceil(present * 1.25)));
      try {
        if (needed > this.limits.maximum) throw new RangeError('beyond the maximum');
        this.memory.grow(wanted - present);
      } catch (cause) {
        throw new UserError(`the wasm backend is out of memory: ${megabytes(end)} MB needed, at most ${megabytes(this.limits.maximum * pageBytes)} MB possible`, {
          remedy: 'use smaller batches, or release what is not needed',
          cause,
        });
      }
    }
    this.top = end;
  }
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);

/** The largest memory that the engine grants: shared memory reserves its maximum at once. */
function createMemory(shared: boolean): { memory: WebAssembly.Memory; limits: MemoryLimits } {
  const minimum = 32;
  for (let maximum = 65536; ; maximum /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: minimum, maximum, shared }), limits: { minimum, maximum, shared } };
    } catch (cause) {
      if (maximum <= 2048) throw new UserError('the engine grants no WebAssembly memory', { cause });
    }
  }
}
